/** Where the FHIR API lies on this server. `settings.base` is the same place as the outside sees it. */
export const basePath = '/fhir'

export type Target = { readonly path: string; readonly query: string }

/** Path below [base] and query of a request target; undefined when it lies elsewhere. */
export const fhirTarget = (url: string): Target | undefined => {
  const at = basePath.length
  if (!url.startsWith(basePath)) return undefined
  const next = url.charCodeAt(at)
  const isEnd = url.length === at
  if (!isEnd && next !== slash && next !== questionMark) return undefined
  const mark = url.indexOf('?', at)
  return mark === -1 ? { path: url.slice(at), query: '' } : { path: url.slice(at, mark), query: url.slice(mark + 1) }
}

const slash = 0x2f
const questionMark = 0x3f

/** Of the absolute form (`GET http://host/fhir/Patient`) the path and query; the host in it is not believed. */
export const originForm = (url: string): string => {
  if (url.startsWith('/')) return url
  const scheme = /^https?:\/\/[^/?#]*/i.exec(url)
  if (scheme === null) return url
  const rest = url.slice(scheme[0].length)
  return rest.startsWith('/') ? rest : `/${rest}`
}
