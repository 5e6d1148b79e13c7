/** How long an answer may be used, in seconds. */
export type Freshness = {
  /** 0: it is fetched each time. */
  readonly freshSeconds: number
  /** While its source is away, after it has become stale. */
  readonly staleSeconds: number
}

const daySeconds = 86_400

/**
 * What `Cache-Control` and `Age` allow. Without them nothing counts as fresh, and something stale may be used for a day at most. Of what is said twice the least
 * holds. @see RFC 9111 4.2.4, 5.2.2; RFC 5861 4
 */
export const freshnessOf = (cacheControl: string | undefined, age: string | undefined): Freshness => {
  const said = directivesOf(cacheControl ?? '')
  if (said.has('no-store')) return { freshSeconds: 0, staleSeconds: 0 }
  const strict = said.has('no-cache') || said.has('must-revalidate')
  const aged = /^\d{1,9}$/.test(age ?? '') ? Number(age) : 0
  const fresh = said.has('no-cache') ? 0 : Math.min(said.get('max-age') ?? 0, daySeconds)
  return {
    freshSeconds: Math.max(0, fresh - aged),
    staleSeconds: strict ? 0 : Math.min(said.get('stale-if-error') ?? daySeconds, daySeconds),
  }
}

/** Names in small letters; a number that is none counts as 0. */
const directivesOf = (text: string): ReadonlyMap<string, number> => {
  const found = new Map<string, number>()
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=', 2).map(word => word.trim().toLowerCase())
    const seconds = /^"?(\d{1,10})"?$/.exec(value)?.[1]
    found.set(name, Math.min(found.get(name) ?? Number.POSITIVE_INFINITY, Number(seconds ?? 0)))
  }
  return found
}
