import type { IncomingMessage } from 'node:http'

/** Whether a form comes from a page of ours, by what the browser says of it. A browser that says nothing is refused. */
export const comesFromOurPage = ({ headers }: IncomingMessage, base: string): boolean => {
  const { origin } = headers
  return origin === undefined ? headers['sec-fetch-site'] === 'same-origin' : origin === new URL(base).origin
}
