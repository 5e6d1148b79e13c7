import { fail } from '../../base/outcome.ts'
import { missing } from './missing.ts'
import { atParameter, type SearchType, shortName } from './search-type.ts'

/** Parameters with a grammar of their own (`near`). None is answered yet: each is a named refusal. */
export const special: SearchType = {
  index: () => undefined,
  read: (_text, { name }) => fail('unsupported-parameter', { parameter: shortName(name) }, atParameter(name)),
  modifiers: { missing },
}
