import type { JSONWebKeySet } from 'jose'
import type { Clock } from '../../base/clock.ts'
import { readKeySet } from '../clients/key-set.ts'
import type { Outgoing } from '../outgoing/outgoing.ts'
import { isRecord } from '../roles/json-shape.ts'

/** The public keys at an address, remembered for 10 minutes; one that is not among them makes it ask once more. Undefined: they cannot be had. @see auth.md 13 */
export type ProviderKeys = (url: string, kid: string | undefined) => Promise<JSONWebKeySet | undefined>

const keysMs = 10 * 60_000
/** Whoever sends tokens with made-up keys does not make us ask the provider each time. */
const askedAgainMs = 10_000
const timeoutMs = 5_000
const bodyBytesMax = 256 * 1024
const urlsMax = 100

export const createProviderKeys = ({ outgoing, clock }: { readonly outgoing: Outgoing; readonly clock: Clock }): ProviderKeys => {
  const remembered = new Map<string, { readonly set: JSONWebKeySet | undefined; readonly at: number }>()
  return async (url, kid) => {
    const known = remembered.get(url)
    const age = known === undefined ? Number.POSITIVE_INFINITY : clock() - known.at
    const has = known?.set?.keys.some(key => kid === undefined || key.kid === kid) === true
    if (age < (has ? keysMs : askedAgainMs)) return known?.set
    const answer = await outgoing({ url, headers: { accept: 'application/json' }, timeoutMs, bodyBytesMax })
    const set = answer.ok && answer.status === 200 ? keySetOf(answer.body) : undefined
    if (remembered.size >= urlsMax) remembered.clear()
    // A source that is away is remembered as well, so that nobody makes us ask it all the time.
    remembered.set(url, { set, at: clock() })
    return set
  }
}

/** Those that are of use to us: a provider may publish others beside them. */
const keySetOf = (body: Buffer): JSONWebKeySet | undefined => {
  const json = jsonOf(body)
  if (!isRecord(json) || !Array.isArray(json.keys)) return undefined
  const keys = json.keys.slice(0, 50).flatMap((key: unknown) => readKeySet({ keys: [key] })?.keys ?? [])
  return keys.length === 0 ? undefined : { keys }
}

const jsonOf = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
