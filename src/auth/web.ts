import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Origin } from './ground.ts'

/**
 * A request to sign-in, to the authorization server or to pages of one's own account. `http` has bounded it (64 KiB, time), counted it, given it the
 * headers of security, and knows from which address it came. The handler ends every answer.
 */
export type WebHandler = (req: IncomingMessage, res: ServerResponse, from: WebOrigin) => Promise<void>

export type WebOrigin = Origin & { readonly requestId: string }

/** What every link is made of; never a header of a request. */
export type PublicAddress = {
  /** `SIMPUL_BASE_URL` without a slash at the end. */
  readonly base: string
  /** `{base}/oauth` */
  readonly issuer: string
  /** `{base}/fhir` */
  readonly fhir: string
}

export const publicAddress = (base: string): PublicAddress => ({ base, issuer: `${base}/oauth`, fhir: `${base}/fhir` })
