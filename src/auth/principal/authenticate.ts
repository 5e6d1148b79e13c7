import type { Authenticate } from '../bearer.ts'
import type { AuthenticateParts, Forgetting } from './principal-parts.ts'

/** Makes a principal of a bearer token. What it remembers is at most 5 seconds old. @see auth.md 8 */
export const createAuthenticate = (_parts: AuthenticateParts): Authenticate & Forgetting => {
  throw new Error('Not built yet')
}
