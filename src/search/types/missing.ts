import { ok } from '../../base/outcome.ts'
import { rule } from '../../base/rules.ts'
import { type Modifier, malformed } from './search-type.ts'

/** `:missing=true|false`, the same for every type. @see https://hl7.org/fhir/R4/search.html#modifiers */
export const missing: Modifier = {
  read: (text, { name, param }) =>
    text === 'true' || text === 'false'
      ? ok({ op: 'missing', param, missing: text === 'true' })
      : malformed(name, rule('one-of', { words: 'true, false' })),
}
