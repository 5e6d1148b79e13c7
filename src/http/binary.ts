import { createHash } from 'node:crypto'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Answer } from '../interactions/request.ts'

/** The content of a Binary on its own. @see https://hl7.org/fhir/R4/binary.html#rest */

/** Types that a browser shows without running anything in them. */
const harmless = /^(?:image\/(?:png|jpeg|gif|webp|bmp|tiff)|audio\/|video\/|text\/plain|application\/(?:pdf|dicom|octet-stream))/i

/** Headers that keep content from acting as a page of this server. */
export const rawHeaders = (contentType: string): readonly string[] =>
  harmless.test(contentType)
    ? ['Content-Security-Policy', 'sandbox']
    : ['Content-Security-Policy', 'sandbox', 'Content-Disposition', 'attachment']

/** @see https://www.rfc-editor.org/rfc/rfc9530#section-3: the digest of what is sent, after compression */
export const reprDigest = (bytes: Uint8Array): readonly string[] => [
  'Repr-Digest',
  `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`,
]

const typePattern = /^[A-Za-z0-9!#$&^_.+-]{1,127}\/[A-Za-z0-9!#$&^_.+-]{1,127}(?:\s*;[\x20-\x7e]{0,200})?$/
const fallbackType = 'application/octet-stream'

/**
 * A read of a Binary as its content. Fails `not-acceptable` when the client excludes the media type it has.
 * What was stored as contentType is text from outside: what is no media type goes out as plain bytes.
 */
export const rawAnswer = (answer: Answer, takes: (contentType: string) => boolean): Outcome<Answer> => {
  const { body } = answer
  if (body?.kind !== 'json' || answer.status !== 200) return ok(answer)
  // Stored bytes passed the parser when they were written.
  const binary = JSON.parse(Buffer.concat(body.chunks).toString('utf8')) as { readonly contentType?: unknown; readonly data?: unknown }
  const contentType = typeof binary.contentType === 'string' && typePattern.test(binary.contentType) ? binary.contentType : fallbackType
  if (!takes(contentType)) return fail('not-acceptable', { available: 'application/fhir+json' })
  const bytes = Buffer.from(typeof binary.data === 'string' ? binary.data : '', 'base64')
  return ok({ ...answer, body: { kind: 'raw', bytes, contentType } })
}
