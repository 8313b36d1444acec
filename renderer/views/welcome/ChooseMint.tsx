// Where the coins come from: the practice mint, an address, or a choice for later.

import { toAppError } from '../../../shared/errors.ts'
import { type Act, useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { mintAddress } from '../../mint-address.ts'
import type { Href } from '../../route.ts'
import { announce, usePractice } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Field } from '../../ui/Field.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { addMintWords } from '../../words/mints.ts'
import { welcomeWords } from '../../words/welcome.ts'
import { Choice } from './Choice.tsx'

const words = welcomeWords.mint

export function ChooseMint({
  back,
  scan,
  address,
  onAddress,
  onPractice,
  onAdded,
  begin,
}: {
  readonly back: { readonly label: string; readonly href: Href }
  readonly scan: Href
  readonly address: string
  readonly onAddress: (address: string) => void
  readonly onPractice: () => void
  readonly onAdded: () => Promise<void>
  /** Without a mint. */
  readonly begin: Act<[]>
}) {
  const { isOffered } = usePractice()
  const add = useAct(async (text: string) => {
    announce(words.known.asking)
    await addMint(mintAddress(text))
    await onAdded()
  })
  const isTyped = address.trim() !== ''
  return (
    <Flow back={back} step="mint">
      <div className="column">
        <div className="stack tight">
          <p className="small muted">{welcomeWords.step(3)}</p>
          <Heading>{words.title}</Heading>
          <p className="muted">{words.body}</p>
        </div>
        <div className="stack choices">
          {isOffered && (
            <Choice
              icon="play"
              title={words.practice.title}
              tag={<PlayTag />}
              body={words.practice.body}
              onClick={onPractice}
              isFirst={!isTyped}
            />
          )}
          <section className={isTyped || !isOffered ? 'choice choice-own is-first' : 'choice choice-own'}>
            <span className="choice-disc">
              <Icon name="mints" />
            </span>
            <div className="choice-words">
              <h2>{words.known.title}</h2>
              <p className="small muted">{words.known.body}</p>
            </div>
            <div className="stack choice-form">
              <Field
                label={words.known.label}
                labelAt="hidden"
                placeholder={words.known.example}
                value={address}
                onChange={(text) => {
                  onAddress(text)
                  add.forget()
                }}
                size="s"
                isLiteral
                end={
                  <Button look="quiet" size="s" icon="scan" isIconOnly href={scan}>
                    {words.known.scan}
                  </Button>
                }
              />
              {(isTyped || !isOffered) && (
                <Button
                  look="primary"
                  isWide
                  shortcut="Enter"
                  onClick={() => add.run(address)}
                  isBusy={add.isBusy}
                  isDisabled={!isTyped}
                >
                  {words.known.use}
                </Button>
              )}
              {add.isBusy && <p className="small muted">{words.known.asking}</p>}
              {add.error?.code === 'mint_unreachable' ? (
                <Note tone="bad" title={addMintWords.noAnswer.title} isAlert>
                  {addMintWords.noAnswer.body}
                </Note>
              ) : (
                <ErrorNote error={add.error} />
              )}
            </div>
          </section>
        </div>
        <ErrorNote error={begin.error} />
        <p className="small center">
          <button type="button" className="link" onClick={() => begin.run()}>
            {words.later}
          </button>
        </p>
      </div>
    </Flow>
  )
}

/** A mint that is there already is as good as one just added. */
async function addMint(url: string): Promise<void> {
  try {
    await call('mints.add', { url })
  } catch (thrown) {
    if (toAppError(thrown).code !== 'mint_exists') throw thrown
  }
}
