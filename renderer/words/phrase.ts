// Words of the twelve words: writing them down, and asking three of them back.

export const phraseWords = {
  title: 'Write these twelve words on paper',
  titleAgain: 'Your twelve words',
  why: 'They bring your money back if this computer is lost. Whoever has them has the money, so no photo, no cloud.',
  list: 'Your twelve words, in this order',
  covered: 'Make sure that nobody looks over your shoulder.',
  show: 'Show the words',
  notInThem:
    'Payments that are signed but not final yet are not in the words. They are on this computer and in backup files.',
  written: 'I have written them down',
  next: 'Next we ask for three of them.',
  later: 'Later',
  laterMeans: 'If you choose Later, Home reminds you.',
  done: 'Done',
  check: {
    title: 'Which words are these?',
    body: 'Look at your paper and type these three. Then you know that it is right.',
    word: (position: number) => `Word ${position}`,
    missing: (position: number) => `Word ${position} is still missing.`,
    wrong: (position: number) => `This is not word ${position}. Look at your paper again.`,
    lookAgain: 'Show them again',
    submit: 'Check them',
    right: 'All three are right: your twelve words are on paper',
  },
}
