import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { Clock } from '../base/clock.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'

/** Where a page walk stands. JSON data; sealed so that no search value and no position shows, or can be changed, in a URL. */
export type Cursor = {
  /** `search-type Patient`, `history-system` …: what the link belongs to. */
  readonly scope: string
  /** The parameters of the first page. */
  readonly parameters: readonly { readonly name: string; readonly value: string }[]
  readonly snapshot: { readonly token: string; readonly at: number }
  readonly position?: { readonly values: readonly (string | number | null)[]; readonly seq: number }
  readonly backward?: boolean
  /** Matches, when the first page told their number. */
  readonly total?: number
  /** Whether that number is exact, so that the last page can be reached. */
  readonly exact?: boolean
  /** To whom it was given, and what the decision about them came to; absent where sign-in is off. */
  readonly holder?: string
  readonly decision?: string
  /** ms */
  readonly expires: number
}

export type CursorSealer = {
  seal(cursor: Cursor): string
  /** Fails `bad-cursor` when damaged or of another scope, `expired-cursor` when too old. */
  open(text: string, scope: string): Outcome<Cursor>
}

// Layout of the sealed bytes: format (1), day (2), nonce (12), ciphertext, tag (16). Format and day are authenticated, not hidden.
const formatPlain = 1
const formatDeflated = 2
const headerBytes = 3
const nonceBytes = 12
const tagBytes = 16
/** Shorter cursors gain little, and packing them would cost most of the time that sealing takes. */
const deflateFromBytes = 700
/** Random bytes are drawn for so many nonces at once: each call for them is dear. */
const noncesDrawn = 256
/** A sealed cursor travels in a URL, which is shorter than this. */
const textCharactersMax = 64 * 1024
const dayMs = 86_400_000

/**
 * AES-256-GCM under a key that HKDF derives from `secret` for each UTC day, so that one key seals a bounded number of cursors.
 * The day travels in front as the key's id; a cursor sealed before midnight opens after it. `secret` has at least 32 random bytes.
 * @see RFC 5869, NIST SP 800-38D
 */
export const createCursorSealer = (options: { readonly secret: Uint8Array; readonly clock: Clock }): CursorSealer => {
  const keyOf = dailyKeys(options.secret)
  const nextNonce = nonces()
  return {
    seal(cursor) {
      const day = Math.floor(options.clock() / dayMs) & 0xffff
      const plain = Buffer.from(JSON.stringify(cursor))
      const deflated = plain.length >= deflateFromBytes
      const header = Buffer.from([deflated ? formatDeflated : formatPlain, day >> 8, day & 0xff])
      const nonce = nextNonce()
      const cipher = createCipheriv('aes-256-gcm', keyOf(day), nonce).setAAD(header)
      const sealed = Buffer.concat([
        header,
        nonce,
        cipher.update(deflated ? deflateRawSync(plain) : plain),
        cipher.final(),
        cipher.getAuthTag(),
      ])
      return sealed.toString('base64url')
    },
    open(text, scope) {
      const cursor = unseal(text, keyOf)
      if (cursor === undefined || cursor.scope !== scope) return fail('bad-cursor', {}, atCursor)
      if (cursor.expires <= options.clock()) return fail('expired-cursor', {}, atCursor)
      return ok(cursor)
    },
  }
}

const nonces = (): (() => Uint8Array) => {
  let pool = Buffer.alloc(0)
  let at = 0
  return () => {
    if (at === pool.length) {
      pool = randomBytes(nonceBytes * noncesDrawn)
      at = 0
    }
    at += nonceBytes
    return pool.subarray(at - nonceBytes, at)
  }
}

const atCursor = { location: ['http._cursor'] }

/** Keys of the days asked for last; the bound keeps made-up days from filling memory. */
const dailyKeys = (secret: Uint8Array): ((day: number) => Uint8Array) => {
  const keys = new Map<number, Uint8Array>()
  return day => {
    const known = keys.get(day)
    if (known) return known
    if (keys.size >= 8) keys.clear()
    const key = new Uint8Array(hkdfSync('sha256', secret, '', `simpul cursor ${day}`, 32))
    keys.set(day, key)
    return key
  }
}

/** The cursor in `text`, or undefined when anything about it is not as `seal` made it. */
const unseal = (text: string, keyOf: (day: number) => Uint8Array): Cursor | undefined => {
  if (text.length > textCharactersMax || !/^[A-Za-z0-9_-]+$/.test(text)) return undefined
  const sealed = Buffer.from(text, 'base64url')
  if (sealed.length <= headerBytes + nonceBytes + tagBytes) return undefined
  // Spare bits of the last character would let several texts open as one cursor.
  if (sealed.toString('base64url') !== text) return undefined
  const format = sealed.readUInt8(0)
  const header = sealed.subarray(0, headerBytes)
  const nonce = sealed.subarray(headerBytes, headerBytes + nonceBytes)
  const body = sealed.subarray(headerBytes + nonceBytes, -tagBytes)
  if (format !== formatPlain && format !== formatDeflated) return undefined
  const decipher = createDecipheriv('aes-256-gcm', keyOf(sealed.readUInt16BE(1)), nonce, { authTagLength: tagBytes }).setAAD(header)
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  try {
    const plain = Buffer.concat([decipher.update(body), decipher.final()])
    // What authenticates was sealed here: its shape is ours.
    return JSON.parse((format === formatDeflated ? inflateRawSync(plain) : plain).toString()) as Cursor
  } catch {
    return undefined
  }
}
