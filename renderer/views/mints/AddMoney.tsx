// Add money: an amount, then an invoice to pay; the coins come by themselves.

import { useState } from 'react'
import type { MintView, WithdrawView } from '../../../shared/model.ts'
import { formatAmount, unitTitle } from '../../../shared/units.ts'
import { withdrawWords } from '../../../shared/words.ts'
import { useAct } from '../../act.ts'
import { entryAmount } from '../../amount.ts'
import { call } from '../../client.ts'
import { mintName } from '../../money.ts'
import { to } from '../../route.ts'
import { go, useSecond, useWithdraws } from '../../store.ts'
import { Amount, AmountEntry } from '../../ui/Amount.tsx'
import { Button } from '../../ui/Button.tsx'
import { Coin } from '../../ui/Coin.tsx'
import { CopyButton } from '../../ui/CopyButton.tsx'
import { Keypad } from '../../ui/Keypad.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Qr } from '../../ui/Qr.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { isOpenWithdraw, laterFeeWords, offerWords, addMoneyWords as words } from '../../words/mints.ts'
import { BugDetails } from './BugDetails.tsx'
import { OpenList } from './OpenList.tsx'
import { openWithdraw, useOpenedError, useOpenedWithdraw } from './opened.ts'
import { Steps } from './Steps.tsx'

type Props = { readonly mint: MintView; readonly index: number }

export function AddMoney({ mint, index, id }: Props & { readonly id: string | undefined }) {
  return id === undefined ? (
    <HowMuch mint={mint} index={index} />
  ) : (
    <HowFar key={id} mint={mint} index={index} id={id} />
  )
}

function HowMuch({ mint, index }: Props) {
  const [unit, setUnit] = useState(mint.units[0] ?? 'sat')
  const [entry, setEntry] = useState('')
  const amount = entryAmount(entry, unit) ?? 0
  const start = useAct(async () => {
    const withdraw = await call('withdraw.start', { mintUrl: mint.url, unit, amount })
    openWithdraw(withdraw)
    go(to.mint(index, 'add-money', withdraw.id))
  })
  const change = (next: string): void => {
    setEntry(next)
    start.forget()
  }
  return (
    <>
      <div className="mint-duo mint-entry">
        <div className="stack loose">
          <div className="stack tight">
            <h3 className="mint-question">{words.title}</h3>
            <AmountEntry entry={entry} unit={unit} />
            <p className="small muted">{mint.isPlayMoney ? words.play : laterFeeWords(mint.feePpk, unit)}</p>
          </div>
          {mint.units.length > 1 && (
            <Segments
              label={words.unit}
              options={mint.units.map((one) => ({ value: one, label: unitTitle(one) }))}
              value={unit}
              onChange={(next) => {
                setUnit(next)
                change('')
              }}
            />
          )}
          <ErrorNote error={start.error} unit={unit} />
        </div>
        <Keypad entry={entry} unit={unit} onChange={change} />
        <Button look="primary" shortcut="Enter" onClick={start.run} isBusy={start.isBusy} isDisabled={amount === 0}>
          {amount === 0 ? words.goEmpty : words.go(formatAmount(amount, unit))}
        </Button>
      </div>
      <Open mint={mint} index={index} />
    </>
  )
}

/** Begun earlier, and not paid yet. */
function Open({ mint, index }: Props) {
  const open = useWithdraws().filter((one) => one.mintUrl === mint.url && isOpenWithdraw(one))
  return (
    <OpenList
      title={words.open}
      items={open}
      hrefOf={({ id }) => to.mint(index, 'add-money', id)}
      wordsOf={({ state }) => withdrawWords[state]}
    />
  )
}

function HowFar({ mint, index, id }: Props & { readonly id: string }) {
  const withdraw = useOpenedWithdraw(id)
  const error = useOpenedError()
  if (!withdraw) return error ? <ErrorNote error={error} /> : <Waiting />
  if (withdraw.state === 'done') return <Done withdraw={withdraw} index={index} />
  if (withdraw.state === 'failed') return <Failed withdraw={withdraw} index={index} />
  return <Unpaid mint={mint} index={index} withdraw={withdraw} />
}

function Unpaid({ mint, index, withdraw }: Props & { readonly withdraw: WithdrawView }) {
  const { state, amount, unit, invoice, expiresAt } = withdraw
  const isToPay = state === 'unpaid' && invoice !== null && !mint.isPlayMoney
  const now = state === 'issuing' ? 2 : 0
  return (
    <div className={isToPay ? 'mint-duo' : 'stack loose'}>
      <div className="stack loose">
        <div className="stack tight">
          <h3>{words.youAdd}</h3>
          <Amount amount={amount} unit={unit} />
          <p className="small muted">{mint.isPlayMoney ? words.playPays : laterFeeWords(mint.feePpk, unit)}</p>
        </div>
        <Steps
          label={words.steps}
          now={now}
          steps={[
            { title: firstTitle(state, mint.isPlayMoney), children: firstStep() },
            { title: words.sees(mintName(mint)) },
            { title: words.made },
          ]}
        />
        <p className="hidden" role="status">
          {withdrawWords[state].badge}
        </p>
        <p className="small muted">{words.leave}</p>
        <div className="row activity-actions">
          {isToPay && (
            <CopyButton text={invoice} look="primary" size="s">
              {words.copy}
            </CopyButton>
          )}
          <Button look={isToPay ? 'quiet' : 'plain'} size="s" href={to.mint(index, 'add-money')}>
            {words.other}
          </Button>
        </div>
      </div>
      {isToPay && (
        <div className="stack mint-code">
          <Qr text={`lightning:${invoice}`.toUpperCase()} label={words.invoiceOf(formatAmount(amount, unit))} />
          <p className="row small muted mint-waiting" aria-hidden="true">
            <Waiting /> {words.waiting}
          </p>
        </div>
      )}
    </div>
  )

  function firstStep() {
    if (state === 'quoting') return mint.isReachable ? <Waiting /> : words.needsMint
    if (mint.isPlayMoney) return <Waiting />
    return (
      <>
        {words.payWith} {expiresAt !== null && <Offer until={expiresAt} />}
      </>
    )
  }
}

function firstTitle(state: WithdrawView['state'], isPlayMoney: boolean): string {
  if (state === 'quoting') return words.getting
  return isPlayMoney ? words.playInvoice : words.pay
}

/** The only thing here that ticks. */
function Offer({ until }: { readonly until: number }) {
  return <span>{offerWords(until, useSecond())}</span>
}

function Done({ withdraw, index }: { readonly withdraw: WithdrawView; readonly index: number }) {
  const { amount, unit } = withdraw
  return (
    <div className="stack mint-result">
      <Coin grade="paid" size={88} />
      <div className="stack tight" role="status">
        <p className="mint-result-word">{words.done(formatAmount(amount, unit))}</p>
        <p className="muted">{words.doneBody}</p>
      </div>
      <div className="row">
        <Button look="primary" shortcut="Enter" href={to.home}>
          {words.home}
        </Button>
        <Button href={to.mint(index, 'add-money')}>{words.another}</Button>
      </div>
    </div>
  )
}

function Failed({ withdraw, index }: { readonly withdraw: WithdrawView; readonly index: number }) {
  const { amount, unit, state, trouble } = withdraw
  const { badge, sentence } = withdrawWords[state]
  return (
    <div className="stack">
      <Amount amount={amount} unit={unit} isVoid />
      <Note tone="bad" title={`${badge}.`} isAlert>
        {sentence}
        <BugDetails trouble={trouble} id={withdraw.id} />
      </Note>
      <div>
        <Button look="primary" shortcut="Enter" href={to.mint(index, 'add-money')}>
          {words.other}
        </Button>
      </div>
    </div>
  )
}
