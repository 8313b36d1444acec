// Every payment there was: find one, and see what happened to it.

import { type KeyboardEvent, useRef } from 'react'
import type { PaymentFilter } from '../../../shared/model.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { to } from '../../route.ts'
import { saveFile } from '../../save-file.ts'
import { showToast } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { EmptyState } from '../../ui/EmptyState.tsx'
import { Field } from '../../ui/Field.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote } from '../../ui/Note.tsx'
import { Page } from '../../ui/Page.tsx'
import { Waiting } from '../../ui/Waiting.tsx'
import { activityWords } from '../../words/activity.ts'
import { Detail } from './Detail.tsx'
import { filter, search, showAll, tryAgain, useLoaded } from './loaded.ts'
import { type ListHandle, PaymentList } from './PaymentList.tsx'

const filters: readonly PaymentFilter[] = ['all', 'in', 'out', 'waiting', 'bounced']

export function Activity({ path }: { readonly path: readonly string[] }) {
  const [id] = path
  return (
    <Page
      screen="activity"
      heading={activityWords.title}
      actions={<Export />}
      {...(id === undefined ? {} : { title: activityWords.payment })}
    >
      <div className={id === undefined ? 'split activity' : 'split activity has-detail'}>
        <Found currentId={id} />
        <section className="activity-detail" aria-label={activityWords.payment}>
          {id === undefined ? <NothingChosen /> : <Detail key={id} id={id} />}
        </section>
      </div>
    </Page>
  )
}

function Found({ currentId }: { readonly currentId: string | undefined }) {
  const rows = useRef<ListHandle>(null)
  const { query, answered, list, serial, error, isGoingToEnd } = useLoaded()
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowDown' || !(event.target instanceof HTMLInputElement)) return
    event.preventDefault()
    rows.current?.focus()
  }
  const isFiltered = answered.search.trim() !== '' || answered.filter !== 'all'
  return (
    <section className="activity-list" aria-label={activityWords.list}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: from the field down into the list */}
      <div className="activity-find" onKeyDown={onKeyDown}>
        <Field
          label={activityWords.search}
          labelAt="hidden"
          placeholder={activityWords.searchExample}
          type="search"
          icon="search"
          size="s"
          shortcut="/"
          maxLength={100}
          value={query.search}
          onChange={search}
        />
        <label className="field-box field-s activity-filter">
          <Icon name="filter" />
          <span className="hidden">{activityWords.filter}</span>
          <select value={query.filter} onChange={({ target }) => filter(filterOf(target.value))}>
            {filters.map((one) => (
              <option key={one} value={one}>
                {activityWords.filters[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      {error && (
        <div className="stack tight">
          <ErrorNote error={error} />
          <Button size="s" icon="again" onClick={tryAgain}>
            {activityWords.again}
          </Button>
        </div>
      )}
      {list === null ? (
        !error && <Loading />
      ) : list.rows.length > 0 ? (
        <PaymentList
          key={serial}
          list={list}
          currentId={currentId}
          hasSums={answered.search.trim() === '' && ['all', 'in', 'out'].includes(answered.filter)}
          ref={rows}
        />
      ) : (
        <div className="card">{isFiltered ? <NothingFound /> : <NoPayments />}</div>
      )}
      {list && isGoingToEnd && (
        <p className="activity-more">{activityWords.loadingMore(list.rows.length, list.total)}</p>
      )}
    </section>
  )
}

function filterOf(value: string): PaymentFilter {
  return filters.find((one) => one === value) ?? 'all'
}

function Loading() {
  return (
    <p className="row muted" role="status">
      <Waiting /> {activityWords.loading}
    </p>
  )
}

function NoPayments() {
  const { title, body, action } = activityWords.empty
  return (
    <EmptyState
      title={title}
      action={
        <Button look="primary" shortcut="Enter" href={to.getPaid()}>
          {action}
        </Button>
      }
    >
      {body}
    </EmptyState>
  )
}

function NothingFound() {
  const { answered } = useLoaded()
  const { title, search, filter, action } = activityWords.nothing
  return (
    <EmptyState title={title} action={<Button onClick={showAll}>{action}</Button>}>
      {answered.search.trim() === '' ? filter : search(answered.search.trim())}
    </EmptyState>
  )
}

function NothingChosen() {
  const { list } = useLoaded()
  if (!list || list.rows.length === 0) return null
  return <p className="activity-nothing muted">{activityWords.choose}</p>
}

/** All payments, whatever is searched for: a table that a spreadsheet opens. */
function Export() {
  const save = useAct(async () => {
    const { csv, count } = await call('payments.export', {})
    const day = new Date().toISOString().slice(0, 10)
    saveFile(`farthing-payments-${day}.csv`, new Blob([csv], { type: 'text/csv;charset=utf-8' }))
    showToast({ text: activityWords.exported(count) })
  })
  return (
    <span className="activity-export">
      <Button size="s" icon="download" onClick={save.run} isBusy={save.isBusy}>
        {save.isBusy ? activityWords.exporting : save.error ? activityWords.exportFailed : activityWords.export}
      </Button>
    </span>
  )
}
