// Words of bringing a wallet back: from twelve words, from a file, and what follows from a copy that was noticed.

import type { MintSearchView, RestoreView } from '../../shared/model.ts'

export const coins = (count: number): string => (count === 1 ? '1 coin' : `${count.toLocaleString('en')} coins`)

export const restoreWords = {
  back: 'Back',
  how: {
    title: 'Restore a wallet',
    body: 'Nothing on this computer is overwritten.',
    ways: 'Ways to restore',
    words: { title: 'Twelve words', body: 'From the paper. Brings back all coins that a mint has confirmed.' },
    file: {
      title: 'Backup file',
      body: 'Brings back payments that were not final, names and history as well.',
    },
    other: 'The old computer still works? Do not use both: two computers with the same words get in each other’s way.',
  },
  words: {
    title: 'Type your twelve words',
    body: 'In the order on the paper. You can also paste all of them into the first field.',
    list: 'Your twelve words',
    word: (position: number) => `Word ${position}`,
    unknown: (position: number) => `Word ${position} is not in the list of words. Look at the paper again.`,
    wrong:
      'All twelve are real words, but together they are not a wallet’s. Check their order, and words that look alike.',
    missing: (count: number) => (count === 1 ? 'One word is still missing.' : `${count} words are still missing.`),
    submit: 'Restore',
  },
  file: {
    title: 'Choose the backup file',
    body: 'Its name ends in .farthing-backup.',
    choose: 'Choose a file',
    chosen: (name: string) => `Chosen: ${name}`,
    tooLarge: 'This file is too large to be opened here.',
    key: 'What opens it?',
    passphrase: 'A passphrase',
    twelve: 'The twelve words',
    label: 'Passphrase of the file',
    submit: 'Restore',
    opening: 'Opening the file …',
  },
  own: {
    label: 'Your passphrase for Farthing',
    hint: 'It protects the words that come as well.',
  },
  mints: {
    title: 'Which mints had your coins?',
    body: 'The words do not name them. Add each one; Farthing looks for your coins there by itself.',
    added: 'Looking here',
    next: 'Go on',
    add: 'Add this mint',
    none: 'Add at least one mint, or go on and do it later under Mints.',
  },
  search: {
    title: 'Looking for your coins',
    titleDone: 'Your coins',
    body: 'You can use Farthing meanwhile. This goes on by itself, also after a restart.',
    bodyDone: 'Every mint has answered to the end.',
    bodyCut: 'Every mint has answered. Not everything could be asked about or read.',
    none: 'No mint was added yet, so there is nowhere to look.',
    addMint: 'Add a mint',
    complete: 'Complete',
    phases: { generations: 'part 1 of 3', milestones: 'part 2 of 3', purses: 'part 3 of 3', done: '' } satisfies Record<
      MintSearchView['phase'],
      string
    >,
    found: (count: number) => `${coins(count)} found`,
    nothing: 'No coins here',
    nothingYet: 'Nothing yet',
    soFar: (amount: string) => `${amount} so far`,
    expired: (amount: string) =>
      `${amount} are of a kind that the mint has retired. Ask its operator whether they can still be exchanged.`,
    waits: (reason: string) => `It goes on when the mint answers. (${reason})`,
    notAll: 'Not everything',
    cut: (reason: string) => `There may be more than was found. (${reason})`,
    again: 'Look again',
    home: 'Go to Home',
  },
  resting: {
    title: 'Found coins rest first.',
    causes: {
      phrase: 'Some may belong to a payment you signed on the old computer.',
      backup: 'Some may belong to a payment you signed after the backup was made.',
      old_copy:
        'This folder is older than it was: somebody put an old copy of it back, or the disk lost the newest part. Some coins may have been paid with since.',
      moved: 'This folder came from another computer or place. Some coins may have been paid with there.',
      twin: 'Another computer uses the same twelve words. Some of these coins may have been paid with there.',
    } satisfies Record<NonNullable<RestoreView['cause']>, string>,
    until: (day: string) => `If there is none, you can use them at once; else they come home by themselves on ${day}.`,
    release: 'I have no open payments',
    released: 'They are coming home: each mint exchanges them for fresh coins when it answers.',
    ask: {
      title: 'No payment is open?',
      body: 'If you paid somebody with these coins and it is not final yet, they will not get it: you would look like somebody who pays twice.',
      twin: 'And the other computer must not be used with these words any more.',
      no: 'Let them rest',
      yes: 'No payment is open',
    },
  },
  notice: {
    title: {
      phrase: 'Coins rest after a restore',
      backup: 'Coins rest after a restore',
      old_copy: 'This is an old copy',
      moved: 'This wallet has moved',
      twin: 'Two computers, one wallet',
    } satisfies Record<NonNullable<RestoreView['cause']>, string>,
    resting: (amounts: string) => `${amounts} rest until it is known that no payment with them is open.`,
    look: 'See what this means',
  },
}
