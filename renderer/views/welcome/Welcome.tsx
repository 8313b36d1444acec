// The first run: welcome, a name, the twelve words, a mint; or straight to practice coins; or a wallet of before. What is chosen is kept by the
// host at every step, so leaving in the middle loses nothing.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { to } from '../../route.ts'
import { go, goInstead, useProfile } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Wren } from '../../ui/Wren.tsx'
import { welcomeWords } from '../../words/welcome.ts'
import { CheckWords } from '../phrase/CheckWords.tsx'
import { useChallenge } from '../phrase/challenge.ts'
import { WriteWords } from '../phrase/WriteWords.tsx'
import { SearchScreen } from '../restore/Restored.tsx'
import { ChooseMint } from './ChooseMint.tsx'
import { ChooseName } from './ChooseName.tsx'
import { PracticeCoins, usePracticeCoins } from './PracticeCoins.tsx'
import { Restore } from './Restore.tsx'
import { RestoreFile } from './RestoreFile.tsx'
import { RestoreMints } from './RestoreMints.tsx'
import { RestoreWords } from './RestoreWords.tsx'
import { ScanMint } from './ScanMint.tsx'
import { Start } from './Start.tsx'

const steps = {
  start: to.welcome(),
  name: to.welcome('name'),
  words: to.welcome('words'),
  check: to.welcome('check'),
  mint: to.welcome('mint'),
  scan: to.welcome('scan'),
  practice: to.welcome('practice'),
  restore: to.welcome('restore'),
  twelve: to.welcome('twelve'),
  file: to.welcome('file'),
  mints: to.welcome('mints'),
  search: to.welcome('search'),
} as const

export function Welcome({ path: [step] }: { readonly path: readonly string[] }) {
  const { isFirstRun, phrase } = useProfile()
  // As it was on arrival: at the end it is over before the next screen is there.
  const [isNew] = useState(isFirstRun)
  const challenge = useChallenge(steps.check)
  const [address, setAddress] = useState('')
  const begin = useAct(begun)
  const practice = usePracticeCoins(begun)
  const [origin, setOrigin] = useState<'start' | 'mint'>('start')
  const startPractice = (from: 'start' | 'mint'): void => {
    setOrigin(from)
    practice.run()
    go(steps.practice)
  }
  const back = (href: keyof typeof steps) => ({ label: welcomeWords.back, href: steps[href] })

  if (!isNew) return <Ready />
  if (step === 'name') return <ChooseName back={back('start')} onNext={() => go(steps.words)} />
  if (step === 'check' && challenge.positions !== null) {
    return (
      <CheckWords
        step={welcomeWords.step(2)}
        positions={challenge.positions}
        back={back('words')}
        lookAgain={steps.words}
        onRight={() => go(steps.mint)}
        later={steps.mint}
      />
    )
  }
  if (step === 'words' || step === 'check') {
    return (
      <WriteWords
        step={welcomeWords.step(2)}
        back={back('name')}
        isChecked={phrase === 'checked'}
        ask={challenge.ask}
        later={steps.mint}
      />
    )
  }
  if (step === 'mint') {
    return (
      <ChooseMint
        back={back('words')}
        scan={steps.scan}
        address={address}
        onAddress={setAddress}
        onPractice={() => startPractice('mint')}
        onAdded={begun}
        begin={begin}
      />
    )
  }
  if (step === 'scan') {
    return (
      <ScanMint
        back={back('mint')}
        onAddress={(scanned) => {
          setAddress(scanned)
          goInstead(steps.mint)
        }}
      />
    )
  }
  if (step === 'practice') return <PracticeCoins practice={practice} back={back(origin)} />
  if (step === 'restore') return <Restore back={steps.start} words={steps.twelve} file={steps.file} />
  if (step === 'twelve') return <RestoreWords back={steps.restore} onRestored={() => goInstead(steps.mints)} />
  if (step === 'file') return <RestoreFile back={steps.restore} onRestored={() => goInstead(steps.search)} />
  if (step === 'mints') return <RestoreMints back={steps.start} next={steps.search} />
  if (step === 'search') return <SearchScreen home={begin} back={back('mints')} />
  return <Start create={steps.name} restore={steps.restore} onTry={() => startPractice('start')} />
}

/** Home from now on, and no way back into the first run. */
async function begun(): Promise<void> {
  await call('profile.begin', {})
  goInstead(to.home)
}

/** Somebody came back here by the address. */
function Ready() {
  return (
    <Flow step="ready">
      <div className="column center">
        <Wren size={104} />
        <div className="stack tight center">
          <Heading>{welcomeWords.ready.title}</Heading>
          <p className="muted">{welcomeWords.ready.body}</p>
        </div>
        <Button look="primary" size="l" isWide shortcut="Enter" href={to.home}>
          {welcomeWords.ready.home}
        </Button>
      </div>
    </Flow>
  )
}
