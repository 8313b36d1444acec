// The gate: what stands between a person and the wallet. It opens and closes the wallet; what a person asks of the wallet
// and what the wallet says to windows passes through it.
//
//   start ─► open ◄───► locked, the wallet running on underneath: payments settle, payees are served
//     ├────► locked, nothing open ──(passphrase)──► open
//     ├────► sealed ──(look: the keychain is asked again)──► open
//     ├────► wordless ──(look: the file may be back)──► open
//     └────► damaged ──(exchange)──► open           a read that fails: open ─► damaged ─(a passphrase)─► locked
//
// The twelve words of a person open `locked`, `sealed` and `wordless` as well: what lies there of the phrase is set aside.
//
// `shut`: nothing is open for a reason that may pass, such as a full disk. A look tries again, or says why.

import { AppError, never, toAppError } from '../shared/errors.ts'
import type { FoundCopiesView, GateView, Sealing, WordlessCause } from '../shared/model.ts'
import { abandonArrival, beginArrival, finishArrival, prepareArrival } from './arrival.ts'
import { findEntrance } from './entrance.ts'
import type { Gate, GateParts, There } from './gate-port.ts'
import { createIdleLock } from './idle-lock.ts'
import { sealingOf, sealPhrase, tidyPhrase, unlockPhrase } from './keys.ts'
import { settingsOf } from './settings.ts'
import { createTries } from './tries.ts'
import { createTurns } from './turns.ts'
import { isFileDamage, type WalletApp } from './wallet-app.ts'
import { assertPhraseOf } from './wallet-folder.ts'

type Inside =
  | { readonly state: 'open'; readonly wallet: WalletApp }
  | { readonly state: 'locked'; readonly wallet: WalletApp | null }
  | { readonly state: 'damaged'; readonly phrase: string | null; readonly found: FoundCopiesView }
  | { readonly state: 'sealed' }
  | { readonly state: 'wordless'; readonly cause: WordlessCause }
  | { readonly state: 'shut'; readonly error: AppError }

/** Of a database that cannot be read, where nobody knows any more what a person chose. */
const damagedIdleMinutes = 5

export function createGate(parts: GateParts): Gate {
  const { folder, sealer, clock, onEvent, report } = parts
  const tries = createTries(folder, clock)
  const inTurn = createTurns()
  let inside: Inside = { state: 'shut', error: new AppError('locked', 'not opened yet') }
  let sealing: Sealing = 'plain'
  let revision = 0
  let told = ''
  /** What a person chose, as it was last read. */
  let chosenMinutes: number | null = null

  /** A setting that cannot be read locks nobody out. */
  const idleMinutes = (wallet: WalletApp): number | null => {
    try {
      if (sealing !== 'passphrase') return null
      chosenMinutes = settingsOf(wallet.store).idleLockMinutes
      return chosenMinutes
    } catch (error) {
      report(toAppError(error))
      return null
    }
  }
  const idle = createIdleLock({
    clock,
    minutes: () => {
      if (inside.state === 'open') return idleMinutes(inside.wallet)
      return isLockable() ? (chosenMinutes ?? damagedIdleMinutes) : null
    },
    lock: () => lockScreen(),
  })
  const view = (): GateView => {
    switch (inside.state) {
      case 'open':
        return { state: 'open', sealing, idleLockMinutes: idleMinutes(inside.wallet) }
      case 'locked':
        return { state: 'locked', retryAt: tries.retryAt() }
      case 'damaged':
        return { state: 'damaged', hasPhrase: inside.phrase !== null, ...inside.found }
      case 'sealed':
        return { state: 'sealed' }
      case 'wordless':
        return { state: 'wordless', cause: inside.cause }
      case 'shut':
        throw inside.error
    }
  }
  /** Windows look when they are told: a shut gate that is as it was tells nothing, or that would go on for ever. */
  const tell = (): void => {
    const gate = view()
    const news = JSON.stringify(gate)
    if (gate.state !== 'open' && news === told) return
    told = news
    onEvent({ kind: 'gate', gate })
  }
  const become = (next: Exclude<Inside, { state: 'shut' }>): void => {
    inside = next
    idle.restart()
    tell()
  }
  const running = (): WalletApp | null => (inside.state === 'open' || inside.state === 'locked' ? inside.wallet : null)
  const opened = (): WalletApp => {
    if (inside.state === 'open') return inside.wallet
    if (inside.state === 'shut') throw inside.error
    throw new AppError('locked', `the wallet is ${inside.state}`)
  }
  const isLockable = (): boolean =>
    sealing === 'passphrase' && (inside.state === 'open' || (inside.state === 'damaged' && inside.phrase !== null))
  /** Whoever unlocks what is damaged finds it damaged again: the phrase is not kept behind a lock. */
  const lockScreen = (): void => {
    if (isLockable()) become({ state: 'locked', wallet: running() })
  }
  const verified = async (passphrase: string): Promise<string> => {
    try {
      return await tries.attempt(() => unlockPhrase(folder, passphrase, sealer))
    } catch (error) {
      if (inside.state === 'locked') tell()
      // Not the words that a person typed: the file.
      if (!(error instanceof AppError && error.code === 'bad_phrase')) throw error
      throw new AppError('no_phrase', 'the file that holds the phrase cannot be read', { cause: error })
    }
  }

  /** Somebody may have put a file of their own, with a passphrase of their own, in its place while the wallet runs. */
  const verifiedFor = async (wallet: WalletApp, passphrase: string): Promise<void> => {
    if ((await verified(passphrase)) === wallet.phrase) return
    throw new AppError('no_phrase', 'the file that holds the phrase is not the one of this wallet')
  }
  const known = async (wallet: WalletApp, current: string | undefined): Promise<string | null> => {
    if (sealing !== 'passphrase') return null
    if (current === undefined) throw new AppError('wrong_passphrase', 'the passphrase of now is missing')
    await verifiedFor(wallet, current)
    return current
  }

  const closeWallet = async (): Promise<void> => {
    const wallet = running()
    inside = { state: 'shut', error: new AppError('locked', 'the wallet is being opened anew') }
    if (!wallet) return
    await wallet.stop().catch((cause) => report(new AppError('internal', 'the wallet did not stop well', { cause })))
    revision = wallet.revision() + 1
  }
  const onDamage = (wallet: WalletApp): void => {
    void inTurn(async () => {
      if (running() !== wallet) return
      report(new AppError('folder_damaged', 'the database cannot be read: the wallet is closed'))
      const isLocked = inside.state === 'locked'
      await closeWallet()
      // Whoever sets it aside looks at it afterwards: behind a lock it stays locked.
      if (isLocked) become({ state: 'locked', wallet: null })
      else await becomeDamaged(wallet.phrase)
    })
  }
  const becomeDamaged = async (phrase: string | null): Promise<void> =>
    become({ state: 'damaged', phrase, found: await parts.copies(phrase) })
  /** @returns undefined when the database cannot be read, `foreign` when it was made with another phrase */
  const started = (phrase: string, isOldPhrase: boolean): WalletApp | 'foreign' | undefined => {
    try {
      const wallet: WalletApp = parts.openWallet({
        phrase,
        isOldPhrase,
        sealing: () => sealing,
        revision,
        onDamage: () => onDamage(wallet),
        onEvent: (event) => {
          if (inside.state === 'open' && inside.wallet === wallet) onEvent(event)
        },
      })
      return wallet
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code !== 'folder_damaged' && error.code !== 'bad_phrase') throw error
      report(error)
      return error.code === 'bad_phrase' ? 'foreign' : undefined
    }
  }
  const openWallet = async (phrase: string, isOldPhrase: boolean): Promise<void> => {
    const wallet = started(phrase, isOldPhrase)
    if (wallet === 'foreign') return become({ state: 'wordless', cause: 'other' })
    if (!wallet) return becomeDamaged(phrase)
    // Not before: another wallet's phrase must not take the place of the sealed one.
    await sealPhrase(folder, phrase, sealer).catch((error) => report(toAppError(error)))
    sealing = sealingOf(folder) ?? 'plain'
    become({ state: 'open', wallet })
  }
  /** Whatever the files of the folder allow. */
  const enter = async (): Promise<void> => {
    finishArrival(folder)
    tidyPhrase(folder)
    const entrance = await findEntrance(folder, sealer)
    sealing = sealingOf(folder) ?? 'plain'
    switch (entrance.kind) {
      case 'phrase':
        return openWallet(entrance.phrase, entrance.isOldPhrase)
      case 'locked':
        return become({ state: 'locked', wallet: null })
      case 'sealed':
        return become({ state: 'sealed' })
      case 'wordless':
        return become({ state: 'wordless', cause: entrance.cause })
      case 'damaged':
        return becomeDamaged(null)
      default:
        return never(entrance)
    }
  }
  const orShut = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      inside = { state: 'shut', error: toAppError(error) }
      throw error
    }
  }

  /** A stick may be back. It may have locked itself meanwhile. */
  const lookForCopies = async (damaged: Extract<Inside, { readonly state: 'damaged' }>): Promise<void> => {
    const found = await parts.copies(damaged.phrase)
    if (inside === damaged) inside = { ...damaged, found }
  }
  const whatIsThere = (): There => {
    if (inside.state === 'damaged') return { wallet: null, phrase: inside.phrase }
    const wallet = opened()
    return { wallet, known: (current) => known(wallet, current) }
  }
  /** What `lay` puts into an empty folder, made ready to arrive. */
  const prepared = async <T>(lay: (staging: string) => Promise<T>): Promise<T> => {
    try {
      return await lay(prepareArrival(folder))
    } catch (error) {
      abandonArrival(folder)
      throw error
    }
  }
  /** What is in the way may have gone since: the keychain is open, the file is back, there is room on the disk. */
  const isToBeEntered = (): boolean =>
    inside.state === 'sealed' || inside.state === 'shut' || (inside.state === 'wordless' && inside.cause !== 'other')

  return {
    begin: () => inTurn(enter),
    look: () =>
      inTurn(async () => {
        if (idle.heard('gate.look')) lockScreen()
        if (inside.state === 'damaged') await lookForCopies(inside)
        else if (isToBeEntered()) await orShut(enter)
        return view()
      }),
    usePhrase: (phrase, lay) =>
      inTurn(async () => {
        if (!['locked', 'sealed', 'wordless'].includes(inside.state)) {
          throw new AppError('wrong_state', 'there is nothing to open with words')
        }
        assertPhraseOf(folder, phrase)
        await prepared(lay)
        await closeWallet()
        await orShut(async () => {
          beginArrival(folder, clock.now())
          await openWallet(phrase, true)
        })
        return view()
      }),
    unlock: (passphrase) =>
      inTurn(async () => {
        if (inside.state === 'open') return view()
        if (inside.state !== 'locked') throw new AppError('wrong_state', 'there is nothing to unlock')
        const { wallet } = inside
        if (wallet) {
          await verifiedFor(wallet, passphrase)
          become({ state: 'open', wallet })
        } else await openWallet(await verified(passphrase), true)
        return view()
      }),
    lock: () =>
      inTurn(async () => {
        if (running() === null && inside.state !== 'damaged') return view()
        if (sealing !== 'passphrase') throw new AppError('wrong_state', 'no passphrase')
        lockScreen()
        return view()
      }),
    reseal: (current, work) =>
      inTurn(async () => {
        const wallet = opened()
        await known(wallet, current)
        try {
          await work(wallet, sealing)
        } finally {
          sealing = sealingOf(folder) ?? 'plain'
        }
        wallet.touchSealing()
        // It may have locked itself meanwhile; whoever knew the passphrase is here.
        become({ state: 'open', wallet })
        return view()
      }),
    exchange: (prepare) =>
      inTurn(async () => {
        if (idle.heard('gate.setAside')) lockScreen()
        const there = whatIsThere()
        const { phrase, result, assertAtLast } = await prepared((staging) => prepare(there, staging))
        await closeWallet()
        try {
          assertAtLast?.()
        } catch (error) {
          abandonArrival(folder)
          if (there.wallet) await orShut(() => openWallet(there.wallet.phrase, true))
          throw error
        }
        await orShut(async () => {
          beginArrival(folder, clock.now())
          await openWallet(phrase, true)
        })
        return result
      }),
    pass: async (name, ask) => {
      if (idle.heard(name)) lockScreen()
      const wallet = opened()
      const minutes = idleMinutes(wallet)
      const assertOpen = (): void => {
        if (running() !== wallet || inside.state !== 'open') throw new AppError('locked', 'locked meanwhile')
      }
      try {
        const answer = await ask(wallet)
        assertOpen()
        if (idleMinutes(wallet) !== minutes) become({ state: 'open', wallet })
        return answer
      } catch (error) {
        if (isFileDamage(error)) onDamage(wallet)
        assertOpen()
        throw error
      }
    },
    stop: () =>
      inTurn(async () => {
        idle.stop()
        // The lease goes next: nothing may be opened any more.
        inTurn.end()
        await running()?.stop()
      }),
  }
}
