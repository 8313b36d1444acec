// Which mints to look at: the words do not name them. Each is searched as soon as it is added.

import { useState } from 'react'
import { toAppError } from '../../../shared/errors.ts'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { mintAddress } from '../../mint-address.ts'
import type { Href } from '../../route.ts'
import { announce, useRestore } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Flow } from '../../ui/Flow.tsx'
import { Heading } from '../../ui/Heading.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { addMintWords } from '../../words/mints.ts'
import { restoreWords } from '../../words/restore.ts'
import { AddMintFailure, MintAddressField } from '../mints/MintAddress.tsx'
import { searchedName } from '../restore/searched.ts'

const words = restoreWords.mints

export function RestoreMints({ back, next }: { readonly back: Href; readonly next: Href }) {
  const { searches } = useRestore()
  const [address, setAddress] = useState('')
  const isTyped = address.trim() !== ''
  const add = useAct(async () => {
    announce(addMintWords.body)
    try {
      await call('mints.add', { url: mintAddress(address) })
    } catch (thrown) {
      if (toAppError(thrown).code !== 'mint_exists') throw thrown
      await call('restore.again', { mintUrl: mintAddress(address) })
    }
    setAddress('')
  })
  return (
    <Flow back={{ label: restoreWords.back, href: back }} step="restore-mints">
      <div className="column">
        <div className="stack tight">
          <Heading>{words.title}</Heading>
          <p className="muted">{words.body}</p>
        </div>
        {searches.length > 0 && (
          <ul className="card stack restore-mints" aria-live="polite">
            {searches.map((search) => (
              <li key={search.mintUrl} className="row wide">
                <b className="clip">{searchedName(search)}</b>
                <span className="small muted row">
                  <Icon name="search" size="s" /> {words.added}
                </span>
              </li>
            ))}
          </ul>
        )}
        <MintAddressField
          value={address}
          onChange={(text) => {
            setAddress(text)
            add.forget()
          }}
          onScan={setAddress}
          autoFocus
        />
        <AddMintFailure error={add.error} />
        <div className="phrase-acts">
          {isTyped && searches.length > 0 && (
            <Button size="l" href={next}>
              {words.next}
            </Button>
          )}
          {isTyped || searches.length === 0 ? (
            <Button
              look="primary"
              size="l"
              isWide
              shortcut="Enter"
              onClick={add.run}
              isBusy={add.isBusy}
              isDisabled={!isTyped}
            >
              {words.add}
            </Button>
          ) : (
            <Button look="primary" size="l" isWide shortcut="Enter" href={next}>
              {words.next}
            </Button>
          )}
        </div>
        {searches.length === 0 && (
          <p className="small center">
            <a className="link" href={next}>
              {words.none}
            </a>
          </p>
        )}
      </div>
    </Flow>
  )
}
