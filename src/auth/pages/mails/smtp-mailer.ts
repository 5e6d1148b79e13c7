import { createTransport, type SentMessageInfo, type Transporter } from 'nodemailer'
import { fail, ok } from '../../../base/outcome.ts'
import type { Mailer, OutgoingMail } from './mailer.ts'
import { type SmtpFailure, verdictOf } from './smtp-verdict.ts'

export type SmtpMailerParts = {
  /** `SIMPUL_SMTP_URL` */
  readonly url: string
  /** `SIMPUL_MAIL_FROM` */
  readonly from: string
  /** The server is on this machine: nobody is in between, so it may do without TLS, and its certificate need not be known. */
  readonly local: boolean
  /** How long a server may take: to be reached, and to answer each step. ms */
  readonly patienceMs?: number
}

/** With a round's end of 150 s (delivery.ts) no mail is still under way when its lease of 5 minutes ends. */
const wholeMs = 60_000

/**
 * Gives each mail to a mail server. One connection at a time and for one mail: as many as nodes send. Fails `accounts-away` when the server is not
 * reached, refuses to talk, or does not take our name and password.
 * @see RFC 5321, RFC 3207 (STARTTLS), RFC 8314 (`smtps:`)
 */
export const createSmtpMailer = ({ url, from, local, patienceMs = 10_000 }: SmtpMailerParts): Mailer => {
  const transport = createTransport({ ...addressed(url, local), ...bounded(patienceMs) }, { from })
  return {
    async send(mail) {
      try {
        await handOver(transport, mail)
        return ok(undefined)
      } catch (error) {
        // Of the library's error a code and a number are read: its texts hold addresses and what the server said.
        const verdict = verdictOf(error as SmtpFailure)
        return verdict.is === 'away' ? fail('accounts-away', {}, { retryAfterSeconds: 60 }) : ok(verdict)
      }
    },
  }
}

const addressed = (url: string, local: boolean) => {
  const { protocol, hostname, port, username, password } = new URL(url)
  const secure = protocol === 'smtps:'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (secure ? 465 : 587)),
    secure,
    requireTLS: !local,
    ...(local ? { tls: { rejectUnauthorized: false } } : {}),
    ...(username === '' ? {} : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) }, forceAuth: true }),
  }
}

const bounded = (patienceMs: number) => ({
  connectionTimeout: patienceMs,
  greetingTimeout: patienceMs,
  dnsTimeout: patienceMs,
  socketTimeout: patienceMs,
  // A mail is text that we wrote: nothing in it is fetched or opened.
  disableFileAccess: true,
  disableUrlAccess: true,
  logger: false,
})

/** The recipient stands as an address that is not parsed: it cannot become two. */
const handOver = (transport: Transporter<SentMessageInfo>, { id, to, subject, text }: OutgoingMail): Promise<unknown> =>
  transport.sendMail({
    to: { name: '', address: to },
    subject,
    text,
    messageId: `<${id}@simpul.invalid>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    xMailer: false,
    signal: AbortSignal.timeout(wholeMs),
  })
