import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { isSecret } from '../secrets.ts'
import { libraryRow } from './library-rows.ts'
import type { AuthorizationServerParts } from './server-parts.ts'

/** A form that asks for new tokens is far shorter. */
const formBytesMax = 8 * 1024

/**
 * SMART lets an app that can keep no secret renew its tokens by the refresh token alone, and `fhirclient` does; the library wants the client named. So it is
 * named here, after the token: also after one that was used before, so that using it twice ends its grant. For other clients nothing is put in.
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#refresh-access-token
 */
export const namePublicClient = async (
  { ground, clients }: Pick<AuthorizationServerParts, 'ground' | 'clients'>,
  req: IncomingMessage,
): Promise<void> => {
  const form = await peekedForm(req)
  if (form?.get('grant_type') !== 'refresh_token' || form.has('client_id') || form.has('client_assertion')) return
  const token = form.get('refresh_token') ?? ''
  const row = isSecret(token) ? (await libraryRow(ground.store, token))?.value : undefined
  const id = row?.model === 'RefreshToken' ? row.payload?.clientId : undefined
  const client = id === undefined ? undefined : await clients.find(id)
  if (client?.type !== 'public') return
  form.set('client_id', client.id)
  const named = Buffer.from(form.toString())
  req.read()
  req.unshift(named)
  req.headers['content-length'] = String(named.length)
}

/** The form of a request that says nothing of its client beside it; it stays in the request, unread. */
const peekedForm = async (req: IncomingMessage): Promise<URLSearchParams | undefined> => {
  const length = Number(req.headers['content-length'])
  if (req.method !== 'POST' || req.headers.authorization !== undefined || !(length > 0 && length <= formBytesMax)) return undefined
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(req.headers['content-type'] ?? '')) return undefined
  while (req.readableLength < length) await once(req, 'readable')
  const bytes = req.read() as Buffer
  // In the same turn: a stream that was read to its end is over in the next.
  req.unshift(bytes)
  return new URLSearchParams(bytes.toString('utf8'))
}
