// What strangers do that is not let pass, in words for the log. A closed list: nothing in it was written by a stranger.

import { AppError } from '../../shared/errors.ts'

export const offences = [
  'connects too often',
  'holds too many connections',
  'stays too long',
  'does not finish its handshake',
  'breaks the protocol',
  'sends too much',
  'opens too many streams',
  'says nothing',
  'pays too often',
  'sends frames that are too large',
  'sends what cannot be read',
  'asks for Terms and never pays',
  'announces too many payees',
  'is named by too many announcements',
] as const

export type Offence = (typeof offences)[number]

/** Told of every offence and whose it was: an IP address without port. Called often, and must be quick. */
export type OnOffence = (address: string, offence: Offence) => void

/** Why a connection or stream is cut off by this side. */
export const cutOff = (offence: Offence): AppError => new AppError('peer_unreachable', offence)

/** The offence that an error stands for, when this side made it by `cutOff`. */
export function offenceOf(error: unknown): Offence | undefined {
  return error instanceof AppError ? offences.find((offence) => offence === error.message) : undefined
}
