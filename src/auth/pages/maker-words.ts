import type { LaunchableApp } from './parts.ts'
import type { Visit } from './visit.ts'

/** Who made an application, and whether this house knows them. */
export const makerWords = ({ say, parts }: Visit, { publisher, verified }: Pick<LaunchableApp, 'publisher' | 'verified'>): string => {
  const known = say(verified ? 'consent.verified' : 'consent.unverified', { facility: parts.accounts.rules.facility })
  return publisher === undefined ? known : say('consent.who', { publisher, verified: known })
}
