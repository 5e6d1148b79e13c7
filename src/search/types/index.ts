import type { SearchParamType } from '../../fhir/definitions/definitions.ts'
import { compositeOf } from './composite.ts'
import { date } from './date.ts'
import { number } from './number.ts'
import { quantity } from './quantity.ts'
import { reference } from './reference.ts'
import type { SearchType } from './search-type.ts'
import { special } from './special.ts'
import { string } from './string.ts'
import { token } from './token.ts'
import { uri } from './uri.ts'

export const simpleTypes = { number, date, string, token, reference, quantity, uri, special } satisfies Partial<
  Record<SearchParamType, SearchType>
>

/** The search parameter types of R4. A new one is a file and a row; the compiler names the missing row. */
export const searchTypes = { ...simpleTypes, composite: compositeOf(simpleTypes) } satisfies Record<SearchParamType, SearchType>
