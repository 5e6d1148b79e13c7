import { createHash } from 'node:crypto'
import type { AccessFilter } from '../../base/access-filter.ts'
import type { FieldRules } from './field-rules.ts'
import { simplified } from './simplify.ts'

/**
 * What a page link is bound to: 22 characters that are the same for decisions that show the same rows in the same view, in whatever order their
 * parts were found, and differ otherwise.
 */
export const decisionHash = (filter: AccessFilter, fields: FieldRules = []): string => {
  const layers = fields.map(layer => sorted(layer.map(({ where, view }) => [canonical(simplified(where)), view ?? null])))
  return createHash('sha256')
    .update(JSON.stringify([canonical(simplified(filter)), sorted(layers)]))
    .digest('base64url')
    .slice(0, 22)
}

/** Plain data with members and alternatives in one order. */
const canonical = (filter: AccessFilter): unknown => {
  switch (filter.op) {
    case 'and':
    case 'or':
      return [filter.op, sorted(filter.of.map(canonical))]
    case 'not':
      return [filter.op, canonical(filter.of)]
    case 'ids':
      return [filter.op, sorted(filter.ids)]
    case 'owner':
      return [filter.op, sorted(filter.organizations)]
    case 'param':
      return [filter.op, filter.code, sorted(filter.values)]
    case 'labels':
      return [filter.op, filter.max, sorted(filter.allowed)]
    case 'consent':
      return [filter.op, filter.mode, sorted(filter.recipients), sorted(filter.purposes), filter.outside ?? false]
    case 'patient':
      return [filter.op, filter.id, filter.only ?? false]
    case 'patients':
      return [filter.op, filter.from, sorted(filter.of), filter.confirmed ?? false]
    case 'author':
      return [filter.op, filter.ref]
    default:
      return [filter.op]
  }
}

const sorted = (parts: readonly unknown[]): readonly unknown[] => {
  const texts = [...new Set(parts.map(part => JSON.stringify(part)))].sort()
  return texts.map(text => JSON.parse(text) as unknown)
}
