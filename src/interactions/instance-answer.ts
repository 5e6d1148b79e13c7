import type { StoredVersion } from '../storage/port.ts'
import type { Parts } from './parts.ts'
import type { Answer } from './request.ts'
import type { Sight } from './sight.ts'
import { textOf, type View } from './view.ts'

/** Answers that show one version, or tell that the client has it. Both carry the same headers. */

const headersOf = ({ type, id, versionId, lastUpdated }: StoredVersion) => ({
  versionId,
  lastModified: lastUpdated,
  contentLocation: `${type}/${id}/_history/${versionId}`,
  touched: [{ type, id, versionId }],
})

export const notModified = (version: StoredVersion): Answer => ({ status: 304, ...headersOf(version) })

export const shown = (version: StoredVersion, view: View, sight: Sight, parts: Parts): Answer => ({
  status: 200,
  ...headersOf(version),
  body: { kind: 'json', chunks: [textOf(version, view, sight, parts)] },
})
