import type { Coding, Meta } from '@medplum/fhirtypes'

/**
 * What the server makes of `meta` before a version is stored. versionId and lastUpdated come later (stored-form.ts); all else is decided here.
 * Tags and security labels survive an update that does not mention them; profiles are replaced; a PATCH says exactly what it wants.
 * @see https://hl7.org/fhir/R4/resource.html#meta
 */
export const metaForCreate = (meta: Meta | undefined, requestId: string): Meta => ours(meta, requestId)

export const metaForUpdate = (meta: Meta | undefined, oldMeta: Meta | undefined, requestId: string): Meta => {
  const tag = union(oldMeta?.tag, meta?.tag)
  const security = union(oldMeta?.security, meta?.security)
  return { ...ours(meta, requestId), ...(tag && { tag }), ...(security && { security }) }
}

export const metaForPatch = (meta: Meta | undefined, _oldMeta: Meta | undefined, requestId: string): Meta => ours(meta, requestId)

/** As sent, with the request's id as fragment of the source. */
const ours = (meta: Meta | undefined, requestId: string): Meta => {
  const { versionId: _v, lastUpdated: _l, source, ...kept } = meta ?? {}
  return { source: `${withoutFragment(source ?? '')}#${requestId}`, ...kept }
}

/** The source as its author gave it: the fragment is ours. */
export const withoutFragment = (source: string): string => {
  const hash = source.indexOf('#')
  return hash < 0 ? source : source.slice(0, hash)
}

/** Codings of both, by system and code; where both have one, what was sent stands in its place. */
const union = (old: readonly Coding[] | undefined, sent: readonly Coding[] | undefined): Coding[] | undefined => {
  if (!old?.length) return sent && [...sent]
  if (!sent?.length) return [...old]
  const codings = new Map(old.map(coding => [keyOf(coding), coding]))
  for (const coding of sent) codings.set(keyOf(coding), coding)
  return [...codings.values()]
}

const keyOf = ({ system = '', code = '' }: Coding): string => `${system}|${code}`
