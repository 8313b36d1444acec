// Cash out: the mint pays a Lightning invoice for coins. First what it costs, then yes or no, then how far it is.

import { useState } from 'react'
import type { AppError } from '../../../shared/errors.ts'
import type { CashOutView, MintView } from '../../../shared/model.ts'
import { formatAmount, unitTitle } from '../../../shared/units.ts'
import { wordsOfCashOut } from '../../../shared/words.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { invoiceIn } from '../../invoice.ts'
import { mintName } from '../../money.ts'
import { to } from '../../route.ts'
import { go, useCashOuts, useSecond } from '../../store.ts'
import { Amount } from '../../ui/Amount.tsx'
import { Button } from '../../ui/Button.tsx'
import { Coin } from '../../ui/Coin.tsx'
import { Field } from '../../ui/Field.tsx'
import type { Grade } from '../../ui/grade.ts'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { Segments } from '../../ui/Segments.tsx'
import { Slip } from '../../ui/Slip.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { addMoneyWords, isOpenCashOut, priceWords, cashOutWords as words } from '../../words/mints.ts'
import { BugDetails } from './BugDetails.tsx'
import { OpenList } from './OpenList.tsx'
import { openCashOut, useOpenedCashOut, useOpenedError } from './opened.ts'
import { ScanSheet } from './ScanSheet.tsx'
import { Steps } from './Steps.tsx'

type Props = { readonly mint: MintView; readonly index: number }

export function CashOut({ mint, index, id }: Props & { readonly id: string | undefined }) {
  return id === undefined ? (
    <WhichInvoice mint={mint} index={index} />
  ) : (
    <OneCashOut key={id} mint={mint} index={index} id={id} />
  )
}

function WhichInvoice({ mint, index }: Props) {
  const [unit, setUnit] = useState(mint.units[0] ?? 'sat')
  const [invoice, setInvoice] = useState('')
  const balance = mint.balances.find((one) => one.unit === unit)
  const prepare = useAct(async () => {
    const cashOut = await call('cashOut.prepare', {
      mintUrl: mint.url,
      unit,
      invoice: invoiceIn(invoice) ?? invoice.trim(),
    })
    openCashOut(cashOut)
    go(to.mint(index, 'cash-out', cashOut.id))
  })
  return (
    <>
      <div className="stack loose mint-form">
        <div className="stack tight">
          <h3 className="mint-question">{words.title}</h3>
          <p className="muted">{words.body}</p>
          {mint.isPlayMoney && <p className="muted">{words.play}</p>}
        </div>
        {mint.units.length > 1 && (
          <Segments
            label={words.unit}
            options={mint.units.map((one) => ({ value: one, label: unitTitle(one) }))}
            value={unit}
            onChange={setUnit}
          />
        )}
        <Field
          label={words.label}
          placeholder={words.example}
          value={invoice}
          onChange={(text) => {
            setInvoice(text)
            prepare.forget()
          }}
          hint={words.canSpend(formatAmount(balance?.spendable ?? 0, unit))}
          maxLength={4096}
          isLiteral
          end={
            <ScanSheet
              label={words.scan}
              title={words.scanTitle}
              other={words.scanOther}
              read={invoiceIn}
              onRead={setInvoice}
            />
          }
        />
        <PrepareError error={prepare.error} unit={unit} />
        <div>
          <Button
            look="primary"
            shortcut="Enter"
            onClick={prepare.run}
            isBusy={prepare.isBusy}
            isDisabled={invoice.trim().length < shortestInvoice}
          >
            {words.ask}
          </Button>
        </div>
      </div>
      <Open mint={mint} index={index} />
    </>
  )
}

/** Of the contract: shorter ones are none. */
const shortestInvoice = 10

/** What could be cashed out instead is worth more than what is missing. */
function PrepareError({ error, unit }: { readonly error: AppError | null; readonly unit: string }) {
  const payable = error?.facts['payable']
  if (error?.code !== 'not_enough' || payable === undefined) return <ErrorNote error={error} unit={unit} />
  const { title, body, nothing } = words.notEnough
  return (
    <Note tone="bad" title={title} isAlert>
      {payable > 0 ? body(formatAmount(payable, unit)) : nothing}
    </Note>
  )
}

function Open({ mint, index }: Props) {
  const open = useCashOuts().filter((one) => one.mintUrl === mint.url && isOpenCashOut(one))
  return (
    <OpenList
      title={words.open}
      items={open}
      hrefOf={({ id }) => to.mint(index, 'cash-out', id)}
      wordsOf={wordsOfCashOut}
    />
  )
}

function OneCashOut({ mint, index, id }: Props & { readonly id: string }) {
  const cashOut = useOpenedCashOut(id)
  const error = useOpenedError()
  if (!cashOut) return error ? <ErrorNote error={error} /> : <Waiting />
  switch (cashOut.state) {
    case 'quoting':
      return <Waiting />
    case 'quoted':
      return <Price mint={mint} index={index} cashOut={cashOut} />
    case 'gathering':
    case 'paying':
    case 'returning':
      return <HowFar mint={mint} index={index} cashOut={cashOut} />
    case 'done':
    case 'failed':
    case 'abandoned':
      return <Over mint={mint} index={index} cashOut={cashOut} />
  }
}

/** What will happen if the person says yes. */
function Price({ mint, index, cashOut }: Props & { readonly cashOut: CashOutView }) {
  const { id, amount, unit, fee, feeReserve, total, expiresAt } = cashOut
  const confirm = useAct(async () => openCashOut(await call('cashOut.confirm', { id })))
  const abandon = useAct(async () => {
    await call('cashOut.abandon', { id })
    go(to.mint(index, 'cash-out'))
  })
  const network = feeReserve ?? 0
  const cost = (part: number): string => (part === 0 ? words.free : formatAmount(part, unit))
  return (
    <div className="stack loose mint-form">
      <h3 className="mint-question">{words.confirmTitle}</h3>
      <Slip
        rows={[
          { label: words.arrives, value: formatAmount(amount, unit) },
          { label: words.network, value: cost(network) },
          { label: words.mintFee, value: cost(fee - network) },
        ]}
        total={{ label: words.total, value: formatAmount(total, unit) }}
      />
      <p className="small muted">
        {mint.isPlayMoney ? words.play : network > 0 && words.back}{' '}
        {expiresAt !== null && <PriceEnds until={expiresAt} />}
      </p>
      <PrepareError error={confirm.error} unit={unit} />
      <ErrorNote error={abandon.error} />
      <div className="row">
        <Button look="primary" shortcut="Enter" onClick={confirm.run} isBusy={confirm.isBusy}>
          {words.go(formatAmount(amount, unit))}
        </Button>
        <Button onClick={abandon.run} isBusy={abandon.isBusy}>
          {words.notNow}
        </Button>
      </div>
    </div>
  )
}

function PriceEnds({ until }: { readonly until: number }) {
  return <span>{priceWords(until, useSecond())}</span>
}

function HowFar({ mint, index, cashOut }: Props & { readonly cashOut: CashOutView }) {
  const { state, amount, unit, id, trouble } = cashOut
  const { badge, sentence } = wordsOfCashOut(cashOut)
  return (
    <div className="stack loose">
      <Amount amount={amount} unit={unit} />
      {state === 'returning' ? (
        <Note tone="warn" icon="restore" title={`${badge}.`}>
          {sentence}
          <BugDetails trouble={trouble} id={id} />
        </Note>
      ) : (
        <Steps
          label={words.steps}
          now={state === 'gathering' ? 0 : 1}
          steps={[
            { title: words.gather },
            { title: words.pays(mintName(mint)), children: state === 'paying' && sentence },
            { title: words.done },
          ]}
        />
      )}
      <p className="hidden" role="status">
        {badge}
      </p>
      <p className="small muted">{words.leave}</p>
      <div>
        <Button look="quiet" size="s" href={to.mint(index, 'cash-out')}>
          {words.another}
        </Button>
      </div>
    </div>
  )
}

function overGrade({ state, alarm }: CashOutView): Grade {
  if (alarm !== null) return 'needs'
  return state === 'done' ? 'paid' : state === 'failed' ? 'bounced' : 'notsent'
}

function Over({ mint, index, cashOut }: Props & { readonly cashOut: CashOutView }) {
  const { id, state, amount, unit, fee, total, alarm, trouble } = cashOut
  const { badge, sentence } = wordsOfCashOut(cashOut)
  const isDone = state === 'done' && alarm === null
  return (
    <div className="stack mint-result">
      <Coin grade={overGrade(cashOut)} size={88} />
      <div className="stack tight" role="status">
        <p className="mint-result-word">{isDone ? `${formatAmount(amount, unit)} · ${badge}` : badge}</p>
        <p className="muted">{isDone && mint.isPlayMoney ? words.playDone : sentence}</p>
      </div>
      {total > 0 && state !== 'abandoned' && (
        <Slip
          rows={[{ label: words.cost, value: fee === 0 ? words.free : formatAmount(fee, unit) }]}
          total={{ label: words.left, value: formatAmount(total, unit) }}
        />
      )}
      <div className="row">
        <Button look="primary" shortcut="Enter" href={to.home}>
          {addMoneyWords.home}
        </Button>
        <Button href={to.mint(index, 'cash-out')}>{words.another}</Button>
      </div>
      {trouble !== null && !isDone && (
        <div className="small muted">
          <BugDetails trouble={trouble} id={id} />
        </div>
      )}
    </div>
  )
}
