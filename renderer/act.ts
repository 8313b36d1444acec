// Something a person starts: busy while it runs, and its error kept for words.

import { useRef, useState } from 'react'
import { type AppError, toAppError } from '../shared/errors.ts'

export type Act<A extends readonly unknown[]> = {
  /** Does nothing while it is busy: a second press of Enter is no second payment. */
  readonly run: (...args: A) => void
  readonly isBusy: boolean
  /** How the last run failed; null once another has begun. */
  readonly error: AppError | null
  readonly forget: () => void
}

export function useAct<A extends readonly unknown[]>(act: (...args: A) => Promise<unknown>): Act<A> {
  const running = useRef(false)
  const [state, setState] = useState<Pick<Act<A>, 'isBusy' | 'error'>>(idle)
  const run = async (...args: A): Promise<void> => {
    if (running.current) return
    running.current = true
    setState({ isBusy: true, error: null })
    try {
      await act(...args)
      setState(idle)
    } catch (thrown) {
      setState({ isBusy: false, error: toAppError(thrown) })
    } finally {
      running.current = false
    }
  }
  return { ...state, run: (...args) => void run(...args), forget: () => setState(idle) }
}

const idle = { isBusy: false, error: null }
