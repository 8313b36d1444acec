// Words of the frames around every screen, and of what is shown when there is no screen.

export const frameWords = {
  brand: 'Farthing',
  main: 'Main',
  home: 'Home',
  activity: 'Activity',
  mints: 'Mints',
  settings: 'Settings',
  skip: 'Skip to content',
  yourSettings: 'Your settings',
  starting: 'Opening your wallet',
  noSnapshot: { title: 'Farthing could not open', again: 'Try again' },
  lost: {
    title: 'Farthing has stopped',
    body: 'This page cannot reach the program on your computer any more. Your money is where it was.',
    action:
      'Start Farthing again and open the link it gives you; do not load this page again. If it only slept, this page goes on by itself.',
  },
  lockedOut: {
    title: 'Open a new link',
    body: 'This page is not allowed to use your wallet: the link it was opened with has ended.',
    action: 'Press Enter in the terminal where Farthing runs: it prints a new link. A link works once.',
  },
}
