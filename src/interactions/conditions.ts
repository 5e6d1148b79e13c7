import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'

/**
 * The conditional headers, read once from their texts.
 * @see https://hl7.org/fhir/R4/http.html#concurrency and RFC 9110 section 13
 */

/** `*`, or the tags of a list without their quotes; weak and strong mean the same here. */
export type ETags = '*' | readonly string[]

const listMember = /^(?:(?:W\/)?"([\x21\x23-\x7e]*)"|(\d+))$/

/** Undefined without the header. `W/"3"`, `"3"` and bare `3` are one tag; anything else fails `bad-header`. */
export const parseETags = (header: 'If-Match' | 'If-None-Match', text: string | undefined): Outcome<ETags | undefined> => {
  if (text === undefined) return ok(undefined)
  if (text.trim() === '*') return ok('*')
  const tags: string[] = []
  for (const part of text.split(',')) {
    const found = listMember.exec(part.trim())
    if (found === null) return fail('bad-header', { header, rule: rule('etag-form') }, { location: [`http.${header}`] })
    tags.push((found[1] ?? found[2]) as string)
  }
  return ok(tags)
}

/** Whether the tags name this version. */
export const namesVersion = (tags: ETags, versionId: number): boolean => tags === '*' || tags.includes(String(versionId))

const days = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const weekdays = '(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)'
const months = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const time = '\\d{2}:\\d{2}:\\d{2}'
/** The three forms of RFC 9110 section 5.6.7: the preferred one, RFC 850, asctime. */
const httpDate = new RegExp(
  `^(?:${days}, \\d{2} ${months} \\d{4} ${time} GMT|${weekdays}, \\d{2}-${months}-\\d{2} ${time} GMT|${days} ${months} [ \\d]\\d ${time} \\d{4})$`,
)

/**
 * Milliseconds since the epoch, on a whole second. Undefined without the header and for an instant after `now`, which RFC 9110 says to ignore.
 * Fails `bad-header` for a text that is no HTTP date.
 */
export const parseIfModifiedSince = (text: string | undefined, now: number): Outcome<number | undefined> => {
  if (text === undefined) return ok(undefined)
  const at = httpDate.test(text) ? Date.parse(text.endsWith('GMT') ? text : `${text} GMT`) : Number.NaN
  if (Number.isNaN(at)) {
    return fail('bad-header', { header: 'If-Modified-Since', rule: rule('http-date') }, { location: ['http.If-Modified-Since'] })
  }
  return ok(at > now ? undefined : at)
}

/** What a write was told to assume; both hold together. */
export type WriteConditions = { readonly ifMatch?: ETags; readonly ifNoneMatch?: ETags }

export const parseWriteConditions = (
  sent: { readonly ifMatch?: string; readonly ifNoneMatch?: string } | undefined,
): Outcome<WriteConditions> => {
  const ifMatch = parseETags('If-Match', sent?.ifMatch)
  if (!ifMatch.ok) return ifMatch
  const ifNoneMatch = parseETags('If-None-Match', sent?.ifNoneMatch)
  if (!ifNoneMatch.ok) return ifNoneMatch
  return ok({
    ...(ifMatch.value === undefined ? {} : { ifMatch: ifMatch.value }),
    ...(ifNoneMatch.value === undefined ? {} : { ifNoneMatch: ifNoneMatch.value }),
  })
}

/**
 * Checks the conditions against the current version, absent when there is none or it was deleted.
 * Fails `version-mismatch`, `already-exists`, or `if-match-required` where the operator demands If-Match on changes.
 */
export const checkConditions = (
  what: string,
  current: { readonly versionId: number } | undefined,
  conditions: WriteConditions,
  ifMatchRequired: boolean,
): Outcome<undefined> => {
  const { ifMatch, ifNoneMatch } = conditions
  if (ifMatch !== undefined && (current === undefined || !namesVersion(ifMatch, current.versionId)))
    return fail('version-mismatch', { what })
  if (ifNoneMatch !== undefined && current !== undefined && namesVersion(ifNoneMatch, current.versionId))
    return fail('already-exists', { what })
  if (ifMatchRequired && ifMatch === undefined && current !== undefined) return fail('if-match-required', { what })
  return ok(undefined)
}
