// npm run bench -- verify | payment | start [--json]: the times that matter at a counter, as figures of one run.

import { parseArgs } from 'node:util'
import { benchPayment } from './payment.ts'
import { benchStart } from './start.ts'
import { benchVerify } from './verify.ts'

const usage = 'npm run bench -- verify|payment|start [--json] [--rounds N]'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '60' } },
})
const [name] = positionals
const rounds = Number(values.rounds)
const say = (line: string): void => console.log(line)

if (!Number.isInteger(rounds) || rounds < 10) {
  console.error(`${usage}\n--rounds takes a whole number from 10`)
  process.exitCode = 1
} else if (name === 'verify') {
  const result = benchVerify(say)
  if (values.json) console.log(JSON.stringify(result))
} else if (name === 'payment') {
  const result = await benchPayment(rounds, say)
  if (values.json) console.log(JSON.stringify(result))
} else if (name === 'start') {
  const result = await benchStart(rounds, say)
  if (values.json) console.log(JSON.stringify(result))
} else {
  console.error(usage)
  process.exitCode = 1
}
