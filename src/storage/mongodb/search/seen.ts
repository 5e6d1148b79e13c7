import type { AccessFilter, PatientsFilter } from '../../../base/access-filter.ts'
import type { Probe } from '../../../search/plan.ts'
import { isAsked } from './access.ts'
import type { Seen } from './conditions.ts'

/**
 * A probe that says an access filter and nothing else, with a large relation in it: all of it is decided here by what the candidates have, with one
 * look at relations for many of them. Undefined for any other: the database decides as much as it can.
 */
export const seenOf = (probe: Probe): Seen | undefined => {
  const patients = new Map<PatientsFilter, ReadonlySet<string>>()
  const access = hasAsked(probe) ? filterOf(probe, patients) : undefined
  return access === undefined ? undefined : { is: 'seen', by: 'itself', access, patients }
}

/** Several as one, for one look at relations. */
export const allSeen = (list: readonly Seen[]): Seen | undefined => {
  const [first] = list
  if (first === undefined || list.length === 1) return first
  return {
    is: 'seen',
    by: 'itself',
    access: { op: 'and', of: list.map(({ access }) => access) },
    patients: new Map(list.flatMap(({ patients }) => [...(patients ?? [])])),
  }
}

const hasAsked = (probe: Probe): boolean => {
  if (probe.how === 'check' || probe.how === 'set') return isAsked(probe.node)
  if (probe.how === 'any' || probe.how === 'every') return probe.of.some(hasAsked)
  return probe.how === 'not' && hasAsked(probe.of)
}

/** `patients` gets those of the relations that were looked up. */
const filterOf = (probe: Probe, patients: Map<PatientsFilter, ReadonlySet<string>>): AccessFilter | undefined => {
  switch (probe.how) {
    case 'check':
    case 'set': {
      const { node } = probe
      if (node.op === 'id') return { op: 'ids', ids: node.ids }
      if (node.op !== 'access') return undefined
      if (node.filter.op === 'patients' && node.patients !== undefined) patients.set(node.filter, new Set(node.patients))
      return node.filter
    }
    case 'any':
    case 'every': {
      const of = probe.of.map(one => filterOf(one, patients))
      return of.includes(undefined) ? undefined : { op: probe.how === 'any' ? 'or' : 'and', of: of.filter(one => one !== undefined) }
    }
    case 'not': {
      const of = filterOf(probe.of, patients)
      return of === undefined ? undefined : { op: 'not', of }
    }
    default:
      return undefined
  }
}
