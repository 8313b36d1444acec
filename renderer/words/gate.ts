// Words of what stands before the wallet: a lock, a keychain that stays shut, words that are not here, a database that cannot
// be read.

import type { WordlessCause } from '../../shared/model.ts'

export const gateWords = {
  locked: {
    title: 'Farthing is locked',
    body: 'Payments go on underneath. Only after a start they wait for the passphrase.',
    label: 'Passphrase',
    unlock: 'Unlock',
    wrong: 'That is not it. Look at capital letters and the keyboard’s language.',
    waiting: (seconds: number) =>
      seconds < 90 ? `Next try in ${seconds} s` : `Next try in ${Math.ceil(seconds / 60)} minutes`,
    byWords: {
      title: 'Type the twelve words of this wallet',
      body: 'They open it without the old passphrase, which is not asked for any more.',
    },
  },
  sealed: {
    title: 'The keychain stays shut',
    body: 'Your twelve words are sealed by the keychain of this computer, and it does not open them. Your money is as it was.',
    todo: 'Unlock the keychain or log in as the person who set Farthing up, then try again. If that does not help, quit Farthing and start it again.',
    again: 'Try again',
    byWords: {
      title: 'Type the twelve words of this wallet',
      body: 'They open it without the keychain.',
    },
  },
  wordless: {
    missing: {
      title: 'The twelve words are missing here',
      body: 'The file that keeps them is not in Farthing’s folder. The wallet is: the words from the paper open it.',
    },
    damaged: {
      title: 'The twelve words cannot be read here',
      body: 'The file that keeps them is damaged. The wallet is there: the words from the paper open it.',
    },
    other: {
      title: 'These are the words of another wallet',
      body: 'The file in Farthing’s folder keeps other words than this wallet was made with. Those open it.',
    },
  } satisfies Record<WordlessCause, { title: string; body: string }>,
  useWords: {
    open: 'Use the twelve words of this wallet',
    how: 'You can paste all of them into the first field. Everything in the wallet stays as it is.',
    passphrase: 'New passphrase, optional',
    passphraseHint:
      'At least ten characters. Without one, the keychain of this computer seals the words; where there is none, whoever can read Farthing’s folder can read them.',
    wrong: 'These are not the words of this wallet. Check their order, and words that look alike. Nothing was changed.',
    submit: 'Open the wallet',
  },
  damaged: {
    title: 'The wallet’s file cannot be read',
    body: 'It may have been damaged, or lost, by the disk or a sudden power cut. Farthing sets it aside and never writes over it.',
    away: (folder: string) =>
      `Copies of this wallet went to ${folder}. That folder is not there now, or does not answer. If it is on a stick or another computer, connect it first.`,
    lookAgain: 'Look for copies again',
    canDo: 'What can be brought back',
    words: {
      title: 'From your twelve words',
      body: 'All coins that the mints have confirmed. Not: payments that were signed to you and are not final, names and history.',
    },
    copy: {
      title: (when: string) => `From the copy of ${when}`,
      body: 'History too, and payments that were not final then. Coins are looked up at the mints as well.',
    },
    noPhrase:
      'The twelve words cannot be read here either. With the paper you can restore in a fresh Farthing, with a data folder of its own.',
    file: 'You have saved a backup file yourself? Bring back from the words here, then choose “Read a file” in Settings.',
    begin: 'Set it aside and bring back',
    older: 'Older copies',
  },
}
