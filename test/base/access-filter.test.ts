/** One meaning of an access filter for a state in hand; what is not known of it decides nothing. */
import { describe, expect, test } from '@jest/globals'
import { type AccessFilter, type AccessSubject, permits } from '../../src/base/access-filter.ts'

const whole: AccessSubject = { id: 'a', patients: ['1', '2'], organizations: ['o'], authors: ['Practitioner/p'] }
const unknown: AccessSubject = { id: 'a' }

const patient = (id: string): AccessFilter => ({ op: 'patient', id })
const not = (of: AccessFilter): AccessFilter => ({ op: 'not', of })
const join = (op: 'and' | 'or', ...of: AccessFilter[]): AccessFilter => ({ op, of })
const [all, none]: [AccessFilter, AccessFilter] = [{ op: 'all' }, { op: 'none' }]

const rows: readonly (readonly [what: string, filter: AccessFilter, ofWhole: boolean, ofUnknown: boolean | undefined])[] = [
  ['all', all, true, true],
  ['none', none, false, false],
  ['not none', not(none), true, true],
  ['an id', { op: 'ids', ids: ['b', 'a'] }, true, true],
  ['another id', { op: 'ids', ids: ['b'] }, false, false],
  ['one of the patients', patient('2'), true, undefined],
  ['another patient', patient('3'), false, undefined],
  ['not another patient', not(patient('3')), true, undefined],
  ['the author', { op: 'author', ref: 'Practitioner/p' }, true, undefined],
  ['another author', { op: 'author', ref: 'Practitioner/q' }, false, undefined],
  ['one of the owners', { op: 'owner', organizations: ['x', 'o'] }, true, undefined],
  ['no owner', { op: 'owner', organizations: [] }, false, undefined],
  ['both of two', join('and', patient('1'), patient('2')), true, undefined],
  ['what fails whatever the other says', join('and', none, patient('1')), false, false],
  ['what holds whatever the other says', join('or', patient('3'), all), true, true],
  ['either of two strangers', join('or', patient('3'), patient('4')), false, undefined],
]

describe('an access filter', () => {
  for (const [what, filter, ofWhole, ofUnknown] of rows) {
    test(`${what}: ${ofWhole} of a known state, ${ofUnknown ?? 'not to be told'} of an unknown one`, () => {
      expect([permits(filter, whole), permits(filter, unknown)]).toEqual([ofWhole, ofUnknown])
    })
  }
})
