// Play money at once: the practice mint starts, coins come, Home offers the first payment.

import { type Act, useAct } from '../../act.ts'
import { call } from '../../client.ts'
import type { Href } from '../../route.ts'
import { useMints, usePractice, whenShown } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { welcomeWords } from '../../words/welcome.ts'
import { hasPracticeCoins, practiceStep } from './practice-step.ts'

/** The coins come by themselves; Home shows them also when they come later than this. */
const coinsMs = 15_000

/** @param then when the coins are there */
export function usePracticeCoins(then: () => Promise<void>): Act<[]> {
  return useAct(async () => {
    await call('practice.start', {})
    await whenShown(({ mints }) => hasPracticeCoins(mints), coinsMs)
    await then()
  })
}

const { practice: words } = welcomeWords

export function PracticeCoins({
  practice,
  back,
}: {
  readonly practice: Act<[]>
  readonly back: { readonly label: string; readonly href: Href }
}) {
  const { state } = usePractice()
  const at = practiceStep(state, useMints())
  const { isBusy, error } = practice
  return (
    <Flow {...(isBusy ? {} : { back })} step="practice">
      <div className="column">
        <div className="stack tight">
          <p className="row">
            <PlayTag />
          </p>
          <Heading>{words.title}</Heading>
          <p className="muted">{words.body}</p>
        </div>
        <ol className="steps">
          {practiceSteps.map((step, index) => (
            <li key={step} className={index < at ? 'is-done' : index === at && isBusy ? 'is-now' : ''}>
              <span className="steps-disc" aria-hidden="true">
                {index < at ? <Icon name="check" size="s" /> : index + 1}
              </span>
              <span>{words.steps[step]}</span>
              {index < at && <span className="hidden">{words.done}</span>}
              {index === at && isBusy && <Waiting />}
            </li>
          ))}
        </ol>
        <p className="small muted" role="status">
          {isBusy && (at === 0 ? words.slow : words.steps.coins)}
        </p>
        <ErrorNote error={error} />
        {!isBusy && (
          <Button look="primary" size="l" isWide shortcut="Enter" onClick={practice.run}>
            {error ? words.again : words.begin}
          </Button>
        )}
      </div>
    </Flow>
  )
}

const practiceSteps = ['start', 'coins', 'home'] as const
