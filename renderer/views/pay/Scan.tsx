import { to } from '../../route.ts'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Scanner } from '../../ui/Scanner.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { payWords } from '../../words/pay.ts'
import { scanWords } from '../../words/scan.ts'
import { CodeNote } from './CodeNote.tsx'
import { takeScanned, usePayFlow } from './flow.ts'

/** The camera finds whom to pay. */
export function Scan() {
  const { trouble, reading } = usePayFlow()
  return (
    <Flow back={{ label: scanWords.back, href: to.pay() }} step="scan" align="start">
      <div className="column">
        <div className="stack tight">
          <Heading>{scanWords.title}</Heading>
          <p className="muted">{scanWords.hint}</p>
        </div>
        <Scanner onText={takeScanned}>
          {reading !== null && (
            <p role="status">
              {payWords.who.reading} <Waiting />
            </p>
          )}
          <CodeNote trouble={trouble} />
        </Scanner>
      </div>
    </Flow>
  )
}
