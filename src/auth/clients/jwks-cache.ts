import type { JSONWebKeySet } from 'jose'
import type { Clock } from '../../base/clock.ts'
import type { Outgoing } from '../outgoing/outgoing.ts'
import { freshnessOf } from './cache-control.ts'
import { readKeySet } from './key-set.ts'

/** The keys that clients publish. @see auth.md 10.1 */
export type JwksCache = {
  /**
   * The set at a URL, as fresh as its `Cache-Control` demands, or why there is none. `kid`: where the remembered set has no such key it is asked for once more, at
   * most every 10 seconds.
   */
  keysAt(url: string, kid?: string): Promise<JSONWebKeySet | KeysTrouble>
}

/** `keys-refused`: an address that is not gone to. */
export type KeysTrouble = 'keys-unreachable' | 'keys-malformed' | 'keys-refused'

type Remembered = {
  readonly set: JSONWebKeySet
  readonly at: number
  readonly freshUntil: number
  /** What its header allows while its source is away. */
  readonly staleUntil: number
  /** Since when its source has been away. */
  readonly awaySince?: number
}

const timeoutMs = 2_500
const bodyBytesMax = 64 * 1024
const staleMs = 60_000
const askedAgainMs = 10_000
const urlsMax = 1_000
const fetchesMax = 32

export const createJwksCache = ({ outgoing, clock }: { readonly outgoing: Outgoing; readonly clock: Clock }): JwksCache => {
  const remembered = new Map<string, Remembered>()
  const underWay = new Map<string, Promise<JSONWebKeySet | KeysTrouble>>()

  const fetched = async (url: string): Promise<JSONWebKeySet | KeysTrouble> => {
    const answer = await outgoing({ url, headers: { accept: 'application/json' }, timeoutMs, bodyBytesMax })
    if (!answer.ok && answer.why === 'refused') return forgotten(url, 'keys-refused')
    if (!answer.ok || answer.status !== 200) return stale(url)
    const set = readKeySet(jsonOf(answer.body))
    if (set === undefined) return forgotten(url, 'keys-malformed')
    const { freshSeconds, staleSeconds } = freshnessOf(answer.headers['cache-control'], answer.headers.age)
    if (freshSeconds + staleSeconds === 0) remembered.delete(url)
    else {
      const at = clock()
      const freshUntil = at + freshSeconds * 1_000
      remember(url, { set, at, freshUntil, staleUntil: freshUntil + staleSeconds * 1_000 })
    }
    return set
  }

  /** What is remembered, for 60 seconds after its source was first found away and no longer than its header allows. */
  const stale = (url: string): JSONWebKeySet | KeysTrouble => {
    const known = remembered.get(url)
    const now = clock()
    const awaySince = known?.awaySince ?? now
    if (known === undefined || (now >= known.freshUntil && now >= Math.min(known.staleUntil, awaySince + staleMs)))
      return forgotten(url, 'keys-unreachable')
    remember(url, { ...known, awaySince })
    return known.set
  }

  const forgotten = (url: string, why: KeysTrouble): KeysTrouble => {
    remembered.delete(url)
    return why
  }

  const remember = (url: string, what: Remembered): void => {
    remembered.delete(url)
    remembered.set(url, what)
    const oldest = remembered.size > urlsMax ? remembered.keys().next().value : undefined
    if (oldest !== undefined) remembered.delete(oldest)
  }

  return {
    keysAt: async (url, kid) => {
      const known = remembered.get(url)
      if (known !== undefined && clock() < known.freshUntil) {
        const has = kid === undefined || known.set.keys.some(key => key.kid === kid)
        if (has || clock() - known.at < askedAgainMs) return known.set
      }
      const running = underWay.get(url)
      if (running !== undefined) return running
      if (underWay.size >= fetchesMax) return 'keys-unreachable'
      const fetching = fetched(url).finally(() => underWay.delete(url))
      underWay.set(url, fetching)
      return fetching
    },
  }
}

const jsonOf = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
