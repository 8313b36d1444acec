// Add a mint by its address, or the practice mint.

import { useState } from 'react'
import { useAct } from '../../act.ts'
import { call } from '../../client.ts'
import { mintAddress } from '../../mint-address.ts'
import { to } from '../../route.ts'
import { goInstead, useMints, usePractice } from '../../store.ts'
import { Button } from '../../ui/Button.tsx'
import { Icon } from '../../ui/Icon.tsx'
import { ErrorNote, Note } from '../../ui/Note.tsx'
import { PlayTag } from '../../ui/PlayTag.tsx'
import { addMintWords as words } from '../../words/mints.ts'
import { AddMintFailure, MintAddressField } from './MintAddress.tsx'

export function AddMint({ address: given }: { readonly address: string }) {
  const [address, setAddress] = useState(given)
  const add = useAct(async () => {
    const { url } = await call('mints.add', { url: mintAddress(address) })
    await show(url)
  })
  const isTyped = address.trim() !== ''
  return (
    <div className="stack">
      <section className="card stack add-mint" aria-label={words.title}>
        <div className="stack tight">
          <h2>{words.title}</h2>
          <p className="muted">{words.body}</p>
        </div>
        <MintAddressField
          value={address}
          onChange={(text) => {
            setAddress(text)
            add.forget()
          }}
          onScan={setAddress}
        />
        <Note tone="warn">{words.trust}</Note>
        <AddMintFailure error={add.error} />
        <div>
          <Button look="primary" shortcut="Enter" onClick={add.run} isBusy={add.isBusy} isDisabled={!isTyped}>
            {words.add}
          </Button>
        </div>
        {add.isBusy && (
          <p className="small muted" role="status">
            {words.asking}
          </p>
        )}
      </section>
      <PracticeOffer />
    </div>
  )
}

function PracticeOffer() {
  const { isOffered } = usePractice()
  const isThere = useMints().some(({ isPractice }) => isPractice)
  const start = useAct(async () => {
    const { mintUrl } = await call('practice.start', {})
    if (mintUrl !== null) await show(mintUrl)
  })
  if (!isOffered || isThere) return null
  return (
    <section className="card stack tight" aria-label={words.practice.title}>
      <div className="row">
        <Icon name="play" />
        <h2>{words.practice.title}</h2>
        <PlayTag />
      </div>
      <p className="muted">{words.practice.body}</p>
      <div>
        <Button onClick={start.run} isBusy={start.isBusy}>
          {words.practice.action}
        </Button>
      </div>
      <ErrorNote error={start.error} />
    </section>
  )
}

/** Its page, wherever it stands in the list. */
async function show(url: string): Promise<void> {
  const mints = await call('mints.list', {})
  const index = mints.findIndex((mint) => mint.url === url)
  goInstead(index < 0 ? to.mints : to.mint(index))
}
