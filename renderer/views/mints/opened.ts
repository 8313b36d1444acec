// A withdraw or cash out that is looked at: the slices hold the newest ones, this one is asked for when a person comes.

import { create } from 'zustand'
import { type AppError, toAppError } from '../../../shared/errors.ts'
import type { CashOutView, WithdrawView } from '../../../shared/model.ts'
import { call } from '../../client.ts'
import { keepWhileOpen, useCashOut, useWithdraw, type Visit } from '../../store.ts'

type Opened = {
  readonly withdraw: WithdrawView | null
  readonly cashOut: CashOutView | null
  /** Why the one that the address names is not there. */
  readonly error: AppError | null
}

const useOpened = create<Opened>()(() => ({ withdraw: null, cashOut: null, error: null }))
const { setState } = useOpened
keepWhileOpen(useOpened)

export const visit: Visit = {
  arrive: ([, tab, id]) => {
    setState({ error: null })
    if (id === undefined) return
    if (tab === 'add-money') void call('withdraw.get', { id }).then(openWithdraw, fail)
    if (tab === 'cash-out') void call('cashOut.get', { id }).then(openCashOut, fail)
  },
}

export function openWithdraw(withdraw: WithdrawView): void {
  setState({ withdraw })
}

export function openCashOut(cashOut: CashOutView): void {
  setState({ cashOut })
}

function fail(thrown: unknown): void {
  setState({ error: toAppError(thrown) })
}

/** Live while it is among the newest; else as it was when it was opened. */
export function useOpenedWithdraw(id: string): WithdrawView | undefined {
  const opened = useOpened(({ withdraw }) => withdraw)
  return useWithdraw(id) ?? (opened?.id === id ? opened : undefined)
}

export function useOpenedCashOut(id: string): CashOutView | undefined {
  const opened = useOpened(({ cashOut }) => cashOut)
  return useCashOut(id) ?? (opened?.id === id ? opened : undefined)
}

export const useOpenedError = (): AppError | null => useOpened(({ error }) => error)
