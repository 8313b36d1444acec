// The search at each mint, with counts; it goes on by itself.

import type { MintSearchView } from '../../../shared/model.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { restoreWords } from '../../words/restore.ts'
import { amountsOf, coinsIn, searchedName } from './searched.ts'

const words = restoreWords.search

export function Searches({ searches }: { readonly searches: readonly MintSearchView[] }) {
  return (
    <ul className="card searches">
      {searches.map((search) => (
        <Search key={search.mintUrl} search={search} />
      ))}
    </ul>
  )
}

function Search({ search }: { readonly search: MintSearchView }) {
  const { state, phase, progress, found, expired, trouble, mintUrl } = search
  const name = searchedName(search)
  const isDone = state === 'done'
  const count = coinsIn(found)
  const again = useAct(() => call('restore.again', { mintUrl }))
  return (
    <li className={isDone ? 'search is-done' : 'search'}>
      <div className="row wide">
        <span className="row">
          <span className="mint-disc" aria-hidden="true">
            {[...name][0]?.toUpperCase()}
          </span>
          <b className="clip">{name}</b>
        </span>
        {isDone ? (
          <span className={trouble === null ? 'grade grade-paid' : 'grade grade-needs'}>
            {trouble === null && <Icon name="paid" size="s" />}
            {trouble === null ? words.complete : words.notAll}
          </span>
        ) : (
          <span className="small muted search-phase">{words.phases[phase]}</span>
        )}
      </div>
      <progress aria-label={name} value={isDone ? 1 : progress} max={1} />
      <div className="row wide small muted">
        <span>{count > 0 ? words.found(count) : isDone ? words.nothing : words.nothingYet}</span>
        <span>{count > 0 && (isDone ? amountsOf(found) : words.soFar(amountsOf(found)))}</span>
      </div>
      {coinsIn(expired) > 0 && <p className="small">{words.expired(amountsOf(expired))}</p>}
      {trouble !== null && <p className="small muted">{isDone ? words.cut(trouble) : words.waits(trouble)}</p>}
      {isDone && (
        <Button look="quiet" size="s" onClick={again.run} isBusy={again.isBusy}>
          {words.again}
        </Button>
      )}
      <ErrorNote error={again.error} />
    </li>
  )
}
