// Words of being paid: the request, being visible, and what arrives.

export const getPaidWords = {
  title: 'Get paid',
  home: 'Home',
  mode: 'Who names the amount',
  fixed: 'This amount',
  open: 'They decide',
  amount: (unit: string) => `Amount in ${unit}`,
  theyDecide: 'Whoever pays you names the amount.',
  what: 'What it is for',
  money: 'Money',
  mint: 'Paid to',
  visible: 'Visible nearby',
  visibleOff: 'People on this network do not see you',
  visibleOn: (until: string) => `People on this network see you, until ${until}; also when you leave this screen`,
  lanOff: 'Switched off in Settings',
  qr: (what: string) => `Code: ${what}`,
  request: (amount: string) => `request for ${amount}`,
  openRequest: 'request, they decide how much',
  making: 'Making the code…',
  empty: 'Type an amount, and your code is here.',
  me: 'This is what they see and compare',
  nameLink: 'Add your name',
  copy: 'Copy link',
  large: 'Show large',
  several: 'Several people can pay with it, while Farthing is open here.',
  end: 'End this request',
  ended: 'The request has ended.',
  arriving: 'Arriving for this request',
  arrivingEmpty: 'Payments appear here as they arrive.',
  counts: ({ paid, signed, coming }: { readonly paid: number; readonly signed: number; readonly coming: number }) =>
    [paid > 0 ? `${paid} paid` : '', signed > 0 ? `${signed} signed` : '', coming > 0 ? `${coming} coming` : '']
      .filter((part) => part !== '')
      .join(', '),
  noMint: {
    title: 'You need a mint first',
    body: 'Others pay you with coins of a mint. Choose one, and your code is here.',
    action: 'Choose a mint',
  },
  largeTitle: (amount: string) => `Pay ${amount}`,
  largeOpen: 'Pay me',
  largeBack: 'Get paid',
}
