import { hash } from 'node:crypto'

/** So many random bytes; `randomBytes` of `node:crypto` but in tests. */
export type RandomBytes = (size: number) => Buffer

/** A secret of 256 bits as 43 characters of base64url: cookies, links, tokens. Whoever holds it is believed, so nobody but its bearer ever keeps it. */
export const newSecret = (random: RandomBytes): string => random(32).toString('base64url')

/** What is kept of a secret. Its 256 random bits need neither salt nor stretching. */
export const secretHash = (secret: string): string => hash('sha256', secret, 'base64url')

/** Whether a text from outside can be such a secret at all. */
export const isSecret = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)
