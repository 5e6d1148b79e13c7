import { seesAll } from '../../src/base/access-filter.ts'
import type { Query } from '../../src/search/tree.ts'
import type { IndexValues } from '../../src/search/values.ts'
import {
  lastUpdatedPlaceholder,
  type Method,
  type NewVersion,
  type Relation,
  type StoredVersion,
  type WritePlan,
} from '../../src/storage/port.ts'

/** Small versions and plans written by hand, for tests of stores. */
export type Wanted = {
  readonly type?: string
  readonly id: string
  readonly versionId?: number
  readonly method?: Method
  /** Values of the token parameter `identifier`. */
  readonly identifiers?: readonly string[]
  readonly family?: string
  readonly birthdate?: number
  readonly weight?: number
  /** `Patient/1`, by the parameter `subject`. */
  readonly subject?: string
  readonly patients?: readonly string[]
  readonly organizations?: readonly string[]
  readonly authors?: readonly string[]
  /** 2 when absent. */
  readonly confidentiality?: number
  readonly sensitivities?: readonly string[]
  readonly relations?: readonly Relation[]
  readonly filler?: string
}

const encoder = new TextEncoder()
const dayMs = 86_400_000

/** A version with one value of every kind that is asked for. */
export const newVersion = (wanted: Wanted): NewVersion => {
  const { type = 'Patient', id, versionId = 1, method = versionId === 1 ? 'POST' : 'PUT' } = wanted
  const access = {
    patients: wanted.patients ?? [],
    organizations: wanted.organizations ?? [],
    authors: wanted.authors ?? [],
    confidentiality: wanted.confidentiality ?? 2,
    ...(wanted.sensitivities === undefined ? {} : { sensitivities: wanted.sensitivities }),
    ...(wanted.relations === undefined ? {} : { relations: wanted.relations }),
  }
  if (method === 'DELETE') return { type, id, versionId, method, text: new Uint8Array(), lastUpdatedOffset: -1, ...access }
  const head = `{"resourceType":"${type}","id":"${id}","meta":{"versionId":"${versionId}","lastUpdated":"`
  const text = encoder.encode(`${head}${lastUpdatedPlaceholder}"},"note":"${wanted.filler ?? 'é'}"}`)
  return { type, id, versionId, method, text, lastUpdatedOffset: head.length, values: valuesOf(wanted), ...access }
}

const valuesOf = (wanted: Wanted): IndexValues => ({
  tokens: (wanted.identifiers ?? []).map(code => ({ param: 'identifier', system: 'urn:test', code, mark: 3 })),
  strings: wanted.family === undefined ? [] : [{ param: 'family', value: wanted.family.toLowerCase(), exact: wanted.family, mark: 3 }],
  dates: wanted.birthdate === undefined ? [] : [{ param: 'birthdate', lo: wanted.birthdate, hi: wanted.birthdate + dayMs, mark: 3 }],
  numbers:
    wanted.weight === undefined
      ? []
      : ['', 'urn:ucum|kg'].map(unit => ({ param: 'value-quantity', unit, lo: wanted.weight ?? 0, hi: wanted.weight ?? 0, mark: 3 })),
  references:
    wanted.subject === undefined
      ? []
      : [{ param: 'subject', type: wanted.subject.split('/')[0] ?? '', id: wanted.subject.split('/')[1] ?? '' }],
  composites:
    wanted.weight === undefined
      ? []
      : [
          { param: 'code-value-quantity', key: 'weight', range: { lo: wanted.weight, hi: wanted.weight } },
          { param: 'code-value-string', key: 'weight', text: 'heavy' },
        ],
  sort: wanted.birthdate === undefined ? [] : [{ param: 'birthdate', least: wanted.birthdate, greatest: wanted.birthdate + dayMs }],
  shape: [
    ...(wanted.birthdate === undefined ? [] : ['birthdate']),
    ...(wanted.family === undefined ? [] : ['family']),
    ...(wanted.identifiers === undefined ? [] : ['identifier']),
    ...(wanted.subject === undefined ? [] : ['subject']),
  ],
})

/** A plan that expects what the versions' numbers say: none before version 1, and `after` otherwise. */
export const planOf = (versions: readonly NewVersion[], after: readonly Pick<StoredVersion, 'type' | 'id' | 'seq'>[] = []): WritePlan => ({
  expects: versions.map(({ type, id }) => ({ type, id, seq: after.find(one => one.type === type && one.id === id)?.seq ?? 'none' })),
  guards: [],
  versions,
})

export const byIdentifier = (code: string, type = 'Patient'): Query => ({
  parts: [{ type, where: { op: 'token', param: { type, code: 'identifier', kind: 'token' }, system: 'urn:test', code } }],
  sort: [],
})

export const noneWith = (identifier: string) => ({ query: byIdentifier(identifier), access: seesAll, found: 'none' }) as const
