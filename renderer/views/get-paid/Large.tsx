// The code as large as the window, to hold towards somebody.

import type { RequestView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { to } from '../../route.ts'
import { useIsPlayMoney, useProfile } from '../../store.ts'
import { Egg } from '../../ui/Egg.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { FourWords } from '../../ui/FourWords.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { getPaidWords as words } from '../../words/get-paid.ts'

export function Large({ request }: { readonly request: RequestView }) {
  const { text, amount, unit, description, mintUrl } = request
  const { name, fingerprint } = useProfile()
  const isPlay = useIsPlayMoney(mintUrl)
  return (
    <Flow back={{ label: words.largeBack, href: to.getPaid() }} step="large" mintUrls={[mintUrl]}>
      <div className="large">
        <Qr text={text} label={words.qr(codeFor(request))} />
        <div className="stack large-words">
          <Heading>{amount === null ? words.largeOpen : words.largeTitle(formatAmount(amount, unit))}</Heading>
          {isPlay && <PlayTag />}
          {description !== null && <p>{description}</p>}
          <div className="row">
            <Egg picture={fingerprint.picture} size={44} />
            {name !== '' && <b>{name}</b>}
          </div>
          <FourWords words={fingerprint.words} />
        </div>
      </div>
    </Flow>
  )
}

/** What the code is for, to people who do not see it. */
export function codeFor({ amount, unit }: Pick<RequestView, 'amount' | 'unit'>): string {
  return amount === null ? words.openRequest : words.request(formatAmount(amount, unit))
}
