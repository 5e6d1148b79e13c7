/**
 * A Bundle assembled around stored bytes: the resources inside are never parsed and never copied.
 * @see https://hl7.org/fhir/R4/bundle.html
 */

/** One entry; `request` and `response` are JSON texts of history, `mode` the search.mode. */
export type BundleEntry = {
  readonly fullUrl: string
  /** UTF-8 JSON; absent for a deletion. */
  readonly resource?: Uint8Array
  readonly mode?: 'match' | 'include' | 'outcome'
  readonly history?: { readonly request: string; readonly response: string }
}

export type Link = { readonly relation: 'self' | 'first' | 'prev' | 'next' | 'last'; readonly url: string }

export type BundleHead = {
  readonly id: string
  readonly type: 'searchset' | 'history'
  /** The instant whose state is shown (ms). */
  readonly at: number
  readonly timestamp: number
  readonly total?: number
  readonly links: readonly Link[]
}

/** Bytes that an entry takes in a page besides its resource, at most about. */
export const entryOverheadBytes = 400

let lastMs = Number.NaN
let lastInstant = ''

/** The last one is remembered: a Bundle tells the same instant several times, and so do answers in a row. */
export const instant = (ms: number): string => {
  if (ms !== lastMs) [lastMs, lastInstant] = [ms, `${new Date(ms).toISOString().slice(0, -1)}+00:00`]
  return lastInstant
}

/** Chunks to be sent one after the other: each resource is one of them. */
export const bundleChunks = (head: BundleHead, entries: readonly BundleEntry[]): Uint8Array[] => {
  const chunks: Uint8Array[] = []
  let text = headText(head)
  for (let at = 0; at < entries.length; at++) {
    const entry = entries[at] as BundleEntry
    text += `${at === 0 ? ',"entry":[' : ','}{"fullUrl":${JSON.stringify(entry.fullUrl)}`
    if (entry.resource !== undefined) {
      chunks.push(Buffer.from(`${text},"resource":`), entry.resource)
      text = ''
    }
    if (entry.mode !== undefined) text += `,"search":{"mode":"${entry.mode}"}`
    if (entry.history !== undefined) text += `,"request":${entry.history.request},"response":${entry.history.response}`
    text += '}'
  }
  chunks.push(Buffer.from(`${text}${entries.length > 0 ? ']' : ''}}`))
  return chunks
}

const headText = ({ id, type, at, timestamp, total, links }: BundleHead): string =>
  `{"resourceType":"Bundle","id":"${id}","meta":{"lastUpdated":"${instant(at)}"},"type":"${type}","timestamp":"${instant(timestamp)}"` +
  `${total === undefined ? '' : `,"total":${total}`},"link":${JSON.stringify(links)}`
