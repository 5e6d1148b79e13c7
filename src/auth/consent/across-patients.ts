import type { AccessFilter, ConsentFilter } from '../../base/access-filter.ts'
import { allOf, anyOf, everything, nothing } from '../policy/simplify.ts'
import { type Caller, callerOf, isOpenByDefault } from './caller.ts'
import { any, rowText, somewhere } from './consent-relations.ts'
import type { ConsentDefault, Level } from './consent-rule.ts'
import { not } from './matter.ts'
import { withWiderPurposes } from './purposes.ts'

/**
 * The consents of all patients at once, from what their rows say: open is what no rule that may touch this caller and type could close, level by level, and,
 * where nothing is open without a permit, what is permitted whole. Never more than the rules of each patient would show. @see auth.md 12.3
 */
export const acrossPatients = (filter: ConsentFilter, type: string, byDefault: ConsentDefault): AccessFilter => {
  const caller = callerOf(filter)
  const open = allOf(caller.purposes.map(purpose => openFor(caller, purpose, type, byDefault)))
  const closed = rowsFor('closed', 2, caller.clients, caller.purposes.flatMap(withWiderPurposes), type)
  return anyOf([caller.purposes.length === 0 ? { op: 'patientless' } : open, allOf([ofSelf(caller), not(closed)])])
}

/** A patient is never kept from what is about himself alone, but through an application to which he closed it. */
export const ofSelf = ({ self }: Caller): AccessFilter => (self === undefined ? nothing : { op: 'patient', id: self, only: true })

/** Types whose instances can be about several patients: there a permit of one says nothing for the others. */
const aboutSeveral: ReadonlySet<string> = new Set([
  'Account',
  'Appointment',
  'AppointmentResponse',
  'AuditEvent',
  'Basic',
  'Binary',
  'Bundle',
  'Contract',
  'EnrollmentResponse',
  'Group',
  'Linkage',
  'MessageHeader',
  'PaymentNotice',
  'PaymentReconciliation',
  'Parameters',
  'Person',
  'Provenance',
  'VerificationResult',
])

const openFor = (caller: Caller, purpose: string, type: string, byDefault: ConsentDefault): AccessFilter => {
  const rows = (from: 'closed' | 'permitted', level: Level, recipients: readonly string[]): AccessFilter =>
    rowsFor(from, level, recipients, withWiderPurposes(purpose), type)
  const closed = [
    rows('closed', 2, [...caller.persons, any]),
    rows('closed', 3, [...caller.groups, any]),
    rows('closed', 5, [any]),
    rows('closed', 6, [any]),
  ]
  const open = isOpenByDefault(caller, purpose, byDefault)
  const otherwise: AccessFilter = open ? everything : nothing
  const before: AccessFilter = open ? nothingClosed : { op: 'patientless' }
  // A permit of one of several patients says nothing for the others.
  if (aboutSeveral.has(type)) return anyOf([before, allOf([not(anyOf(closed)), otherwise])])
  const permitted = caller.outside
    ? [rows('permitted', 2, caller.clients), nothing, nothing, nothing]
    : [rows('permitted', 2, caller.persons), rows('permitted', 3, caller.groups), rows('permitted', 5, [any]), rows('permitted', 6, [any])]
  const byLevel = closed.reduceRight((further, close, at) => allOf([not(close), anyOf([permitted[at] ?? nothing, further])]), otherwise)
  // First what decides for nearly everybody.
  return anyOf([before, byLevel])
}

const nothingClosed = not({ op: 'patients', from: 'closed', of: [somewhere] })

const rowsFor = (
  from: 'closed' | 'permitted',
  level: Level,
  recipients: readonly string[],
  purposes: readonly string[],
  type: string,
): AccessFilter => {
  const of = recipients.flatMap(to =>
    [...new Set(purposes), any].flatMap(what => [type, any].map(which => rowText(level, to, what, which))),
  )
  return of.length === 0 ? nothing : { op: 'patients', from, of }
}

export const isAboutSeveral = (type: string): boolean => aboutSeveral.has(type)
