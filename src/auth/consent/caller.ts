import type { ConsentFilter } from '../../base/access-filter.ts'
import type { ConsentDefault } from './consent-rule.ts'
import { isOrdinary } from './purposes.ts'

/** Who asks, sorted by how consents name them. */
export type Caller = {
  /** Persons and applications. */
  readonly persons: readonly string[]
  readonly clients: readonly string[]
  /** Organizations and teams. */
  readonly groups: readonly string[]
  readonly purposes: readonly string[]
  /** Nobody here vouches for the application: only a permit that names it opens anything. */
  readonly outside: boolean
  /** Id of the Patient who asks for himself. */
  readonly self?: string
}

export const callerOf = ({ recipients, purposes, ...filter }: ConsentFilter): Caller => {
  const outside = filter.outside === true
  const groups = recipients.filter(name => name.startsWith('Organization/') || name.startsWith('CareTeam/'))
  const self = outside ? undefined : recipients.find(name => name.startsWith('Patient/'))?.slice('Patient/'.length)
  return {
    persons: recipients.filter(name => !groups.includes(name)),
    clients: recipients.filter(name => name.startsWith('client/')),
    groups,
    purposes: [...new Set(purposes)],
    outside,
    ...(self === undefined ? {} : { self }),
  }
}

/** What holds where no consent says anything. @see auth.md 12.1 */
export const isOpenByDefault = ({ outside }: Caller, purpose: string, byDefault: ConsentDefault): boolean => {
  if (byDefault !== 'normal') return byDefault === 'all'
  return !outside && isOrdinary(purpose)
}
