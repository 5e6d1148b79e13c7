import { ok } from '../../base/outcome.ts'
import { tokenForm } from '../normal-form.ts'
import { unescapeValue } from '../value-text.ts'
import { missing } from './missing.ts'
import type { Read, SearchType } from './search-type.ts'

const read =
  (match: 'exact' | 'contains'): Read =>
  (text, { param }) => {
    const uri = unescapeValue(text)
    return ok({ op: 'uri', param, match, uri: match === 'exact' ? tokenForm(uri) : uri })
  }

/** Compared character for character. @see https://hl7.org/fhir/R4/search.html#uri */
export const uri: SearchType = {
  index({ type, value }, sink) {
    if (typeof value !== 'string') return
    sink.token('', value)
    const bar = type === 'canonical' ? value.indexOf('|') : -1
    // Who asks for a canonical without version means every version.
    if (bar > 0) sink.token('', value.slice(0, bar))
  },
  read: read('exact'),
  modifiers: { missing, contains: { read: read('contains') }, above: 'unsupported', below: 'unsupported' },
}
