import type { IncomingMessage } from 'node:http'
import { Provider } from 'oidc-provider'
import type { WebOrigin } from '../web.ts'

const origins = new WeakMap<IncomingMessage, WebOrigin>()

/** Where a request came from, for whoever meets it again inside the library. */
export const noteOrigin = (req: IncomingMessage, from: WebOrigin): void => void origins.set(req, from)

const nowhere: WebOrigin = { address: '', requestId: '' }

export const originOf = (req: IncomingMessage): WebOrigin => origins.get(req) ?? nowhere

/** Of the request that the library is busy with. */
export const currentOrigin = (): WebOrigin => {
  const req = Provider.ctx?.req
  return req === undefined ? nowhere : originOf(req)
}
