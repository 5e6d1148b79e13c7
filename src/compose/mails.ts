import { createFileMailer, type Mailer } from '../auth/pages/mails/mailer.ts'
import { type Config, isLocalUrl } from '../config/config.ts'

/** Whoever carries our mails; undefined where none leaves. The library is loaded where there is a mail server. */
export const openMailer = async ({ smtpUrl, mailFolder, mailFrom }: Config): Promise<Mailer | undefined> => {
  if (smtpUrl === undefined) return mailFolder === undefined ? undefined : createFileMailer(mailFolder, mailFrom)
  const { createSmtpMailer } = await import('../auth/pages/mails/smtp-mailer.ts')
  return createSmtpMailer({ url: smtpUrl, from: mailFrom, local: isLocalUrl(smtpUrl) })
}
