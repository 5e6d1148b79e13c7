import { randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'

/** Makes ids; counted ones in tests. */
export type Ids = () => string

/** UUIDv7 (RFC 9562): 48 bits of milliseconds, then random bits, lower case. Ids of one process are nearly sorted, which keeps indexes dense. */
export const uuidv7Ids = (clock: Clock): Ids => {
  let pool = Buffer.alloc(0)
  let at = 0
  return () => {
    if (at + 10 > pool.length) {
      pool = randomBytes(10 * 512)
      at = 0
    }
    const random = pool.toString('hex', at, at + 10)
    at += 10
    const time = clock().toString(16).padStart(12, '0')
    const variant = '89ab'[Number.parseInt(random[3] as string, 16) & 3]
    return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-${variant}${random.slice(4, 7)}-${random.slice(7, 19)}`
  }
}

const idPattern = /^[A-Za-z0-9\-.]{1,64}$/

/** The R4 rule for ids, without "." and "..": those match the pattern but cannot be reached by URL. @see https://hl7.org/fhir/R4/datatypes.html#id */
export const isId = (text: string): boolean => idPattern.test(text) && text !== '.' && text !== '..'
