import type { NotTaken } from './mailer.ts'

/** What a mail server's refusal means for a mail. */
export type Verdict =
  /** The server is not reached or not usable: the mail has nothing to do with it. */
  | { readonly is: 'away' }
  /** `later`: a full mailbox, greylisting, or something about us that an operator can put right. `refused`: no such mailbox, or it does not take this. */
  | NotTaken

/** As nodemailer tells it. `command`: what was answered; `code`: a word of its own. */
export type SmtpFailure = {
  readonly code?: unknown
  readonly responseCode?: unknown
  readonly response?: unknown
  readonly command?: unknown
}

/** Steps that are about one mail. All before them, and the sender, are the same for every mail. */
const aboutTheMail: ReadonlySet<unknown> = new Set(['RCPT TO', 'DATA'])

/** The server asks for a sign-in or for TLS. @see RFC 4954 4, RFC 3207 4 */
const unmet: ReadonlySet<number> = new Set([530, 534, 535, 538])

/** Mailbox name not allowed. */
const noAddress = 553

/** @see RFC 5321 4.2.1; RFC 3463 3.8: `5.7.x`, such as "relaying denied", is about who sends rather than about the mailbox. */
export const verdictOf = ({ code, responseCode, response, command }: SmtpFailure): Verdict => {
  // What stands as address is none: no server was asked.
  if (responseCode === undefined && code === 'EENVELOPE') return { is: 'refused', code: noAddress }
  // 421: the server closes the connection, at any step.
  if (typeof responseCode !== 'number' || responseCode === 421 || unmet.has(responseCode) || !aboutTheMail.has(command))
    return { is: 'away' }
  const policy = typeof response === 'string' && /^\d{3}[ -]5\.7\.\d/.test(response)
  return { is: responseCode < 500 || policy ? 'later' : 'refused', code: responseCode }
}
