import type { AccessFilter } from '../../base/access-filter.ts'

export const everything: AccessFilter = { op: 'all' }
export const nothing: AccessFilter = { op: 'none' }

/** All of them together, in the shortest form that means the same. */
export const allOf = (parts: readonly AccessFilter[]): AccessFilter => joined('and', parts)

/** Any of them, in the shortest form that means the same. No alternative lets nothing through. */
export const anyOf = (parts: readonly AccessFilter[]): AccessFilter => joined('or', parts)

/** The same meaning with constants folded, lists flat, and what was said twice said once. */
export const simplified = (filter: AccessFilter): AccessFilter => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return joined(filter.op, filter.of.map(simplified))
    case 'not':
      return negated(simplified(filter.of))
    case 'ids':
      return filter.ids.length === 0 ? nothing : filter
    case 'owner':
      return filter.organizations.length === 0 ? nothing : filter
    case 'param':
      return filter.values.length === 0 ? nothing : filter
    case 'patients':
      return filter.of.length === 0 ? nothing : filter
    default:
      return filter
  }
}

const negated = (filter: AccessFilter): AccessFilter => {
  if (filter.op === 'all') return nothing
  if (filter.op === 'none') return everything
  return filter.op === 'not' ? filter.of : { op: 'not', of: filter }
}

/** `neutral` adds nothing, `final` decides alone. */
const joined = (op: 'and' | 'or', parts: readonly AccessFilter[]): AccessFilter => {
  const [neutral, final] = op === 'and' ? ['all', 'none'] : ['none', 'all']
  const flat = new Set<AccessFilter>()
  for (const part of parts) {
    if (part.op === final) return part
    // Roles held at one place share their filters: the very same ones are told apart by nothing dearer than identity.
    if (part.op === op) for (const one of (part as Extract<AccessFilter, { op: 'and' | 'or' }>).of) flat.add(one)
    else if (part.op !== neutral) flat.add(part)
  }
  const distinct = withoutAbsorbed(op, unique([...flat]))
  if (distinct.length === 0) return op === 'and' ? everything : nothing
  return distinct.length === 1 ? (distinct[0] as AccessFilter) : { op, of: distinct }
}

const unique = (parts: readonly AccessFilter[]): readonly AccessFilter[] => {
  if (parts.length < 2) return parts
  const kept: AccessFilter[] = []
  for (const part of parts) if (!kept.some(other => isSame(other, part))) kept.push(part)
  return kept
}

/** `a or (a and b)` is `a`; `a and (a or b)` is `a`. */
const withoutAbsorbed = (op: 'and' | 'or', parts: readonly AccessFilter[]): readonly AccessFilter[] => {
  const inner = op === 'and' ? 'or' : 'and'
  if (parts.length < 2 || !parts.some(part => part.op === inner)) return parts
  return parts.filter(part => {
    if (part.op !== 'and' && part.op !== 'or') return true
    return !parts.some(other => other !== part && part.of.some(one => isSame(one, other)))
  })
}

/** Structural equality; filters hold texts, lists of texts and filters. */
export const isSame = (a: AccessFilter, b: AccessFilter): boolean => {
  if (a === b) return true
  if (a.op !== b.op) return false
  switch (a.op) {
    case 'all':
    case 'none':
    case 'patientless':
      return true
    case 'and':
    case 'or': {
      const { of } = b as typeof a
      return a.of.length === of.length && a.of.every((part, at) => isSame(part, of[at] as AccessFilter))
    }
    case 'not':
      return isSame(a.of, (b as typeof a).of)
    case 'ids':
      return areSame(a.ids, (b as typeof a).ids)
    case 'patient':
      return a.id === (b as typeof a).id && a.only === (b as typeof a).only
    case 'author':
      return a.ref === (b as typeof a).ref
    case 'owner':
      return areSame(a.organizations, (b as typeof a).organizations)
    case 'param':
      return a.code === (b as typeof a).code && areSame(a.values, (b as typeof a).values)
    case 'patients': {
      const other = b as typeof a
      return a.from === other.from && areSame(a.of, other.of) && a.confirmed === other.confirmed
    }
    case 'labels':
      return a.max === (b as typeof a).max && areSame(a.allowed, (b as typeof a).allowed)
    case 'consent': {
      const other = b as typeof a
      return (
        a.mode === other.mode &&
        a.outside === other.outside &&
        areSame(a.recipients, other.recipients) &&
        areSame(a.purposes, other.purposes)
      )
    }
  }
}

const areSame = (a: readonly string[], b: readonly string[]): boolean =>
  a === b || (a.length === b.length && a.every((text, at) => text === b[at]))
