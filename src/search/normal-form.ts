import { createHash } from 'node:crypto'

/** Code points of a string's normal form and exact form; what is longer is cut the same way in the index and in the question. */
export const stringPointsMax = 255
/** Bytes of a token, reference text or composite key. */
export const tokenBytesMax = 512
const tokenBytesKept = 448

const memory = new Map<string, string>()
const memoryEntriesMax = 20_000
const memorableCharactersMax = 64

/**
 * The form in which strings are compared: decomposed (NFKD), marks dropped, cases folded, apostrophes dropped, other punctuation and
 * white space one blank, trimmed, at most 255 code points. `Müller-Lüdenscheidt, O’Neill` is `muller ludenscheidt oneill`.
 * @see https://hl7.org/fhir/R4/search.html#string
 */
export const normalForm = (text: string): string => {
  if (/^[a-z0-9]*$/.test(text)) return cutPoints(text)
  if (text.length > memorableCharactersMax) return normalise(text)
  const known = memory.get(text)
  if (known !== undefined) return known
  const normal = normalise(text)
  if (memory.size >= memoryEntriesMax) memory.clear()
  memory.set(text, normal)
  return normal
}

const normalise = (text: string): string => {
  // A long text shrinks to 255 code points anyway; what lies far behind them need not be read.
  const near = text.length > 8 * stringPointsMax ? text.slice(0, 8 * stringPointsMax) : text
  return cutPoints(isAscii(near) ? foldAscii(near) : foldAny(near)).trimEnd()
}

const isAscii = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

const foldAscii = (text: string): string =>
  text
    .toLowerCase()
    .replace(/['`]/g, '')
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()

// Lower, upper, lower: ẞ becomes ß, ß becomes SS, ﬁ becomes FI, final sigma becomes sigma. Together that is full case folding for text.
const foldAny = (text: string): string =>
  text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKD')
    .replace(/\p{M}+|['`´ʻʼʾʿ‘’‛′＇]/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

const cutPoints = (text: string): string => {
  if (text.length <= stringPointsMax) return text
  return firstPoints(text, stringPointsMax)
}

/** A code point is at most two characters. */
const firstPoints = (text: string, max: number): string =>
  Array.from(text.slice(0, 2 * max))
    .slice(0, max)
    .join('')

/** The text itself as the index keeps it for `:exact`; beyond 255 characters its beginning and a hash of all of it. */
export const exactForm = (text: string): string =>
  text.length <= stringPointsMax ? text : firstPoints(text, stringPointsMax - 64) + hash(text)

/** A token's text as the index keeps it: beyond 512 bytes the first 448 and a hash of all of it. */
export const tokenForm = (text: string): string => {
  if (text.length * 3 <= tokenBytesMax) return text
  const bytes = Buffer.from(text)
  if (bytes.length <= tokenBytesMax) return text
  let end = tokenBytesKept
  // Not in the middle of a character.
  while (((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end) + hash(text)
}

const hash = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Order of the UTF-8 bytes of two texts, which is that of both engines. JavaScript's own order differs for characters beyond the BMP. */
export const compareUtf8 = (a: string, b: string): number => {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return codePointOrder(x) - codePointOrder(y)
  }
  return a.length - b.length
}

/** Surrogates stand for characters above all of the BMP. */
const codePointOrder = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
