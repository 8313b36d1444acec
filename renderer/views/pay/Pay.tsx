// Pay somebody: who, how much, what will happen, how it went. One step each, named by the address.

import { AmountStep } from './AmountStep.tsx'
import { Confirm } from './Confirm.tsx'
import { Result } from './Result.tsx'
import { Scan } from './Scan.tsx'
import { Who } from './Who.tsx'

export function Pay({ path: [step, detail = ''] }: { readonly path: readonly string[] }) {
  switch (step) {
    case 'scan':
      return <Scan />
    case 'request':
    case 'nearby':
      return <AmountStep />
    case 'confirm':
      return <Confirm />
    case 'result':
      return <Result id={detail} key={detail} />
    default:
      return <Who />
  }
}
