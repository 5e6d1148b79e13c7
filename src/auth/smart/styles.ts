import { createHash } from 'node:crypto'
import { sendJson } from '../server/json-answer.ts'
import type { PublicAddress, WebHandler } from '../web.ts'

/** How applications may dress. @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#styling */
export type Style = Readonly<Record<string, string>>

export type Styles = {
  /** In the order of the styles: for `smart_style_url`. */
  readonly urls: readonly string[]
  readonly handler: WebHandler
}

/** `GET /smart/styles/{hash}.json`: other content has another URL, so it may be kept for ever. */
export const createStyles = (styles: readonly Style[], { base }: PublicAddress): Styles => {
  const texts = new Map(styles.map(style => JSON.stringify(style)).map(text => [`/smart/styles/${hashOf(text)}.json`, text]))
  return {
    urls: [...texts.keys()].map(path => `${base}${path}`),
    handler: async (req, res) => {
      const text = texts.get((req.url ?? '').split('?')[0] ?? '')
      if (text === undefined) return sendJson(res, 404, { error: 'not_found' })
      sendJson(res, 200, text, { 'Cache-Control': 'public, max-age=31536000, immutable', 'Access-Control-Allow-Origin': '*' })
    },
  }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 22)
