import type { SearchParamType } from '../../fhir/definitions/definitions.ts'

/** Granular parameters that every client may use; a registration may list more. */
const offered: ReadonlySet<string> = new Set(['category', 'code', 'status', 'type', 'class', '_security', '_tag'])

export const isOfferedByNature = (code: string): boolean => offered.has(code)

/** Values between commas that are not escaped, each still with its escapes, as a search would have them. */
export const alternativesOf = (value: string): readonly string[] => splitAt(value, ',')

/** In one walk: a backslash takes the character behind it along. */
const splitAt = (value: string, separator: string): readonly string[] => {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '\\') at += 1
    else if (value[at] === separator) {
      parts.push(value.slice(start, at))
      start = at + 1
    }
  }
  parts.push(value.slice(start))
  return parts
}

const dateForm =
  /^(?:eq|ne|gt|lt|ge|le|sa|eb|ap)?\d{4}(?:-\d{2}(?:-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})?)?)?)?$/
const referenceForm = /^(?:[A-Za-z]+\/)?[A-Za-z0-9.-]{1,64}$/

/** Whether one alternative can be asked of a parameter of this type. Types that scopes do not speak of take none. */
export const valueFits = (type: SearchParamType, value: string): boolean => {
  if (value === '' || endsInsideEscape(value)) return false
  switch (type) {
    case 'token': {
      const parts = splitAt(value, '|')
      return parts.length === 1 || (parts.length === 2 && parts.some(part => part !== ''))
    }
    case 'date':
      return dateForm.test(value)
    case 'reference':
      return referenceForm.test(value) || URL.canParse(value)
    case 'string':
    case 'uri':
      return true
    default:
      return false
  }
}

/** A backslash at the end escapes nothing. */
const endsInsideEscape = (value: string): boolean => {
  let count = 0
  while (value[value.length - 1 - count] === '\\') count += 1
  return count % 2 === 1
}
