import { stringify } from './json.ts'
import type { Resource } from './resource.ts'

/** The 29 characters that stand for `meta.lastUpdated` until the writer knows the instant. */
export const lastUpdatedPlaceholder = '0000-00-00T00:00:00.000+00:00'

/**
 * The bytes to be stored, with the byte offset of the placeholder in them. Members in this order: resourceType, id, meta with versionId and
 * lastUpdated first, then the others as sent. The fixed head is what gives the offset without looking for it: type and version are ASCII, ids too.
 */
export const storedForm = (
  resource: Resource,
  identity: { readonly id: string; readonly versionId: number },
): { readonly text: Uint8Array; readonly lastUpdatedOffset: number } => {
  const { resourceType, id: _, meta, ...others } = resource
  const { versionId: _v, lastUpdated: _l, ...restOfMeta } = meta ?? {}
  const head = `{"resourceType":${stringify(resourceType)},"id":${stringify(identity.id)},"meta":{"versionId":"${identity.versionId}","lastUpdated":"`
  const text = `${head}${lastUpdatedPlaceholder}"${members(restOfMeta)}}${members(others)}}`
  return { text: Buffer.from(text), lastUpdatedOffset: Buffer.byteLength(head) }
}

/** The members of an object, each after a comma, as they follow others. */
const members = (object: object): string => {
  const text = stringify(object)
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

/** Writes the instant (ms) over the placeholder in these very bytes: `2026-11-21T07:00:00.000+00:00`. */
export const writeLastUpdated = (text: Uint8Array, offset: number, ms: number): void => {
  const instant = `${new Date(ms).toISOString().slice(0, -1)}+00:00`
  Buffer.from(text.buffer, text.byteOffset, text.byteLength).write(instant, offset, 'latin1')
}
