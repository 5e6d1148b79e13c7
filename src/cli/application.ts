import { invitationMinutes } from '../auth/accounts/first-invitation.ts'
import { type Config, everyone, isLocalUrl, publicUrl, sendsMails, withoutCredentials } from '../config/config.ts'
import type { Figures } from '../telemetry/metrics.ts'

/** A composed server, as far as the verbs need it. Disposing finishes what is under way. */
export type Application = AsyncDisposable & {
  /** Listens and answers the URL it is reached at, without a slash at the end. */
  listen(): Promise<string>
  /** The address by which the first administrator makes an account; undefined where there is one, and where sign-in is off. A secret: nobody but a terminal sees it. */
  invitation(): Promise<string | undefined>
  /** Whether this process by itself takes traffic. */
  ready(): boolean
  /** From now on it says that it is not ready, and goes on. */
  drain(): void
  figures(): Promise<Figures>
}

/** Resolves when the process is asked to end (SIGINT, SIGTERM). */
export type UntilStopped = () => Promise<void>

/** What people are told when the server listens. */
export const greeting = (config: Config, url: string, invitation?: string): readonly string[] => [
  `Simpul listens on ${url}/fhir. ${
    config.auth === 'off' ? `SIMPUL_AUTH=off: ${everyone(config)} may read and change everything.` : 'Whoever uses it signs in.'
  }`,
  `Data: ${withoutCredentials(config.store ?? `sqlite:${config.dataDir}/simpul.db`)}`,
  ...(config.auth === 'smart' && !isLocalUrl(publicUrl(config)) && !sendsMails(config) ? [noMailsLine] : []),
  ...(invitation === undefined ? [] : invitationLines(invitation)),
]

const noMailsLine =
  'No mail leaves this server: nobody gets a link to a new password, or is told of sign-ins and emergency access. SIMPUL_SMTP_URL names a mail server.'

const invitationLines = (link: string): readonly string[] => [
  '',
  `  Belum ada akun. Buka tautan ini dalam ${invitationMinutes} menit dan buat akun administrator pertama. Tautan berlaku satu kali:`,
  `  There is no account yet. Open this link within ${invitationMinutes} minutes to make that of the first administrator. It works once:`,
  '',
  `  ${link}`,
  '',
]

export const stoppingLine = 'Stopping: requests under way are finished first.'
