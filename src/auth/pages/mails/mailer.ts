import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail, type Outcome, ok } from '../../../base/outcome.ts'
import type { MailText } from './mail-of.ts'

export type OutgoingMail = MailText & { readonly id: string; readonly to: string }

/** Why one mail did not go: not now (`later`), or never (`refused`). `code`: the reply of SMTP. */
export type NotTaken = { readonly is: 'later' | 'refused'; readonly code: number }

/**
 * Whoever carries mails; undefined when the mail went. Fails `accounts-away` when none goes now; they are then tried again. The same mail may be given
 * twice: its id tells.
 */
export type Mailer = {
  send(mail: OutgoingMail): Promise<Outcome<NotTaken | undefined>>
}

/** Writes each mail into a folder, as `{id}.eml`: for development, and for mail programs that watch one. */
export const createFileMailer = (folder: string, from: string): Mailer => ({
  async send(mail) {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(join(folder, `${mail.id.replace(/[^A-Za-z0-9-]/g, '')}.eml`), message(mail, from), { mode: 0o600 })
      return ok(undefined)
    } catch {
      return fail('accounts-away', {}, { retryAfterSeconds: 60 })
    }
  },
})

/** @see RFC 5322, RFC 2047 */
const message = ({ to, subject, text, id }: OutgoingMail, from: string): string =>
  [
    `From: ${header(from)}`,
    `To: ${header(to)}`,
    `Subject: =?UTF-8?B?${Buffer.from(header(subject)).toString('base64')}?=`,
    `Message-ID: <${header(id)}@simpul.invalid>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    'Auto-Submitted: auto-generated',
    '',
    ...(Buffer.from(text)
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '',
  ].join('\r\n')

const header = (text: string): string => text.replace(/[\r\n\0]+/g, ' ')
