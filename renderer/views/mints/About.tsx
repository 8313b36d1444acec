// What is known of a mint.

import { type ReactNode, useState } from 'react'
import type { MintView } from '../../../shared/model.ts'
import { formatAmount } from '../../../shared/units.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { mintName } from '../../money.ts'
import { to } from '../../route.ts'
import { go, useNow } from '../../store.ts'
import { ago, dateAndTime } from '../../time.ts'
import { Button } from '../../ui/Button.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Dialog } from '../../ui/Dialog.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { addressWords, feeWords, unitsWords, aboutWords as words } from '../../words/mints.ts'

export function About({ mint }: { readonly mint: MintView }) {
  const now = useNow()
  const ask = useAct(() => call('mints.sync', {}))
  const { balances, units, waiting, lastReachedAt, keysetEndsAt } = mint
  const amounts = (of: 'spendable' | 'onItsWay' | 'signedToUs' | 'expired'): string =>
    balances
      .filter((balance) => balance[of] > 0)
      .map((balance) => formatAmount(balance[of], balance.unit))
      .join(', ')
  const waits = words.waiting(waiting)
  return (
    <div className="stack loose">
      <dl className="facts">
        <Fact label={words.address}>{addressWords(mint)}</Fact>
        <Fact label={words.balance}>{amounts('spendable') || formatAmount(0, units[0] ?? 'sat')}</Fact>
        <Fact label={words.onItsWay}>{amounts('onItsWay')}</Fact>
        <Fact label={words.signedToUs}>{amounts('signedToUs')}</Fact>
        <Fact label={words.expired} hint={words.expiredWhy}>
          {amounts('expired')}
        </Fact>
        <Fact label={words.coins}>{mint.coins.toLocaleString('en-GB')}</Fact>
        <Fact label={words.units}>{unitsWords(units)}</Fact>
        <Fact label={words.fee}>{feeWords(mint.feePpk, units[0] ?? 'sat')}</Fact>
        <Fact label={words.offline}>{mint.isOnlineOnly ? words.onlineOnly : words.offlineWorks}</Fact>
        <Fact label={words.endsAt} hint={words.endsWhy}>
          {keysetEndsAt === null ? '' : dateAndTime(keysetEndsAt)}
        </Fact>
        <Fact label={words.last}>{lastReachedAt === null ? words.never : ago(lastReachedAt, now)}</Fact>
        <Fact label={words.waits}>{waits === '' ? words.nothingWaits : waits}</Fact>
        <Fact label={words.software}>{mint.version ?? words.unknown}</Fact>
      </dl>
      <ErrorNote error={ask.error} />
      <div className="row activity-actions">
        <Button size="s" icon="again" onClick={ask.run} isBusy={ask.isBusy}>
          {words.ask}
        </Button>
        <CopyButton text={mint.url} size="s">
          {words.copy}
        </CopyButton>
      </div>
      <Remove mint={mint} />
    </div>
  )
}

/** Left out when there is nothing to say. */
function Fact({
  label,
  hint,
  children,
}: {
  readonly label: string
  readonly hint?: string
  readonly children: ReactNode
}) {
  if (children === '') return null
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {children}
        {hint && <p className="small muted">{hint}</p>}
      </dd>
    </div>
  )
}

function Remove({ mint }: { readonly mint: MintView }) {
  const [isAsked, setAsked] = useState(false)
  const remove = useAct(async () => {
    setAsked(false)
    await call('mints.remove', { url: mint.url })
    go(to.mints)
  })
  const { dialog, notEmpty } = words
  return (
    <div className="stack tight mint-remove">
      <p className="small muted">{words.removeWhen}</p>
      {remove.error?.code === 'wrong_state' ? (
        <Note tone="warn" title={notEmpty.title} isAlert>
          {notEmpty.body}
        </Note>
      ) : (
        <ErrorNote error={remove.error} />
      )}
      <div>
        <Button
          look="quiet"
          size="s"
          icon="trash"
          onClick={() => setAsked(true)}
          isBusy={remove.isBusy}
          isDisabled={mint.coins > 0}
        >
          {words.remove}
        </Button>
      </div>
      <Dialog
        isOpen={isAsked}
        onClose={() => setAsked(false)}
        title={dialog.title(mintName(mint))}
        actions={
          <>
            <Button autoFocus onClick={() => setAsked(false)}>
              {dialog.keep}
            </Button>
            <Button look="danger" onClick={remove.run}>
              {dialog.remove}
            </Button>
          </>
        }
      >
        <p>{dialog.body}</p>
      </Dialog>
    </div>
  )
}
