// Loaded into every process of the story before anything else: their clocks all show the time of the story, which a file
// names as a difference to the real one. So a history of days can be played in a minute.

import { readFileSync } from 'node:fs'

const file = process.env['FARTHING_STORY_CLOCK'] ?? ''
const lookMs = 20
const realNow = Date.now
let difference = 0

function look(): void {
  const read = Number(readFileSync(file, 'utf8'))
  // Empty for a moment while it is written.
  if (Number.isFinite(read) && read !== 0) difference = read
}

if (file !== '') {
  look()
  setInterval(look, lookMs).unref()
  Date.now = () => realNow() + difference
}
