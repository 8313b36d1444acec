import { formatAmount } from '../../../shared/units.ts'
import type { StateWords } from '../../../shared/words.ts'
import type { Href } from '../../route.ts'
import { useNow } from '../../store.ts'
import { ago } from '../../time.ts'
import { addMoneyWords } from '../../words/mints.ts'

type Item = { readonly id: string; readonly amount: number; readonly unit: string; readonly createdAt: number }

/** Begun earlier at this mint, and not over. */
export function OpenList<T extends Item>({
  title,
  items,
  hrefOf,
  wordsOf,
}: {
  readonly title: string
  readonly items: readonly T[]
  readonly hrefOf: (item: T) => Href
  readonly wordsOf: (item: T) => StateWords
}) {
  const now = useNow()
  if (items.length === 0) return null
  return (
    <section className="mint-open" aria-label={title}>
      <h3>{title}</h3>
      <ul data-arrows>
        {items.map((item) => (
          <li key={item.id}>
            <a className="mint-open-row" href={hrefOf(item)}>
              <span>
                <b>{formatAmount(item.amount, item.unit)}</b>
                <span className="small muted mint-begun">{addMoneyWords.begun(ago(item.createdAt, now))}</span>
              </span>
              <span className="small">{wordsOf(item).badge}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
