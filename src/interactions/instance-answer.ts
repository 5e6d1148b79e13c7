import type { StoredVersion } from '../storage/port.ts'
import type { Parts } from './parts.ts'
import type { Answer, AnswerBody, InteractionRequest } from './request.ts'
import { parseStored } from './stored-resource.ts'
import { textOf, type View } from './view.ts'

/** Answers that show one version, or tell that the client has it. Both carry the same headers. */

const headersOf = ({ type, id, versionId, lastUpdated }: StoredVersion) => ({
  versionId,
  lastModified: lastUpdated,
  contentLocation: `${type}/${id}/_history/${versionId}`,
  touched: [{ type, id, versionId }],
})

export const notModified = (version: StoredVersion): Answer => ({ status: 304, ...headersOf(version) })

export const shown = (version: StoredVersion, view: View, request: Pick<InteractionRequest, 'raw'>, parts: Parts): Answer => ({
  status: 200,
  ...headersOf(version),
  body: request.raw && version.type === 'Binary' ? contentOf(version, parts) : { kind: 'json', chunks: [textOf(version, view, parts)] },
})

/** The decoded data of a Binary. @see https://hl7.org/fhir/R4/binary.html#rest */
const contentOf = (version: StoredVersion, parts: Parts): AnswerBody => {
  const { data, contentType } = parseStored(version, parts)
  return {
    kind: 'raw',
    bytes: Buffer.from(typeof data === 'string' ? data : '', 'base64'),
    contentType: typeof contentType === 'string' ? contentType : 'application/octet-stream',
  }
}
