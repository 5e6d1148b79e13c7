import type { JSONWebKeySet } from 'jose'

/** The keys that clients publish. @see auth.md 10.1 */
export type JwksCache = {
  /**
   * The set at a URL, as fresh as its `Cache-Control` demands; undefined for one that cannot be had or is malformed. `kid`: where the remembered set has no such
   * key it is asked for once more, at most every few seconds.
   */
  keysAt(url: string, kid?: string): Promise<JSONWebKeySet | undefined>
}
