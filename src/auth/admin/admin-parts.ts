import type { AccessSubject } from '../../base/access-filter.ts'
import type { Outcome } from '../../base/outcome.ts'
import type { LinkMail } from '../accounts/password-reset.ts'
import type { Authenticate } from '../bearer.ts'
import type { RegistrationRules } from '../clients/registration.ts'
import type { ClientRegistry } from '../clients/registry.ts'
import type { Origin } from '../ground.ts'
import type { Keys } from '../keys/open-keys.ts'
import type { Principal } from '../policy/principal.ts'
import type { PrincipalParts } from '../principal/principal-parts.ts'

/** What administration is given by compose. */
export type AdminParts = PrincipalParts & {
  readonly authenticate: Authenticate
  readonly clients: ClientRegistry
  readonly registration: Pick<RegistrationRules, 'production'>
  readonly keys: Pick<Keys, 'signing'>
  /** Puts a mail with a link where it is sent from. Absent: there is nothing to send mails with, so whoever invites hands the link over. */
  readonly sendLink?: (link: LinkMail) => Promise<Outcome<unknown>>
  /** What the index says of an instance's newest state; undefined when there is none. */
  readonly subjectOf: (type: string, id: string) => Promise<AccessSubject | undefined>
  /** IANA: by its working days reviews are due. */
  readonly zone: string
  /** What this server has switched on, for the console: codes of ours. */
  readonly features: readonly string[]
}

/** Of one request: who asks, and what for. */
export type AdminCall = {
  readonly principal: Principal & { readonly accountId: string }
  readonly permissions: ReadonlySet<string>
  /** What stood in the places of the path. */
  readonly path: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** The JSON of the body; undefined where there was none. */
  readonly body: unknown
  readonly from: Origin
}

export type AdminReply = {
  readonly status?: 200 | 201 | 202 | 204
  readonly body?: object
  /** Lines of a CSV, in place of a body. */
  readonly csv?: AsyncIterable<string>
}
