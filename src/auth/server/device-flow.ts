import type { IncomingMessage } from 'node:http'
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { AuthorizationServerParts, DeviceShown } from './server-parts.ts'
import { textOf } from './standing.ts'

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

const shown = new WeakMap<IncomingMessage, DeviceShown>()

/** What the library wanted to be shown. It sets cookies after it said so, so it is shown when the library is done. */
export const shownOf = (req: IncomingMessage): DeviceShown | undefined => shown.get(req)

const show = (ctx: KoaContextWithOIDC, what: DeviceShown): void => {
  ctx.respond = false
  shown.set(ctx.req, what)
}

/** Codes of eight letters of twenty, without vowels and figures: none looks like another, and none is a word. */
export const deviceFlow = ({ clients }: Pick<AuthorizationServerParts, 'clients'>): DeviceFlow => ({
  enabled: true,
  charset: 'base-20',
  mask: '****-****',
  // Where a device asks from is nobody's to keep.
  deviceInfo: () => ({}),
  async userCodeInputSource(ctx, _form, out, error) {
    show(ctx, inputOf(ctx, out, error))
  },
  async userCodeConfirmSource(ctx, _form, client, _deviceInfo, code) {
    const known = await clients.find(client.clientId)
    if (known === undefined) throw new Error('The client is gone')
    show(ctx, { is: 'confirm', xsrf: secretOf(ctx), code, client: known })
  },
  async successSource(ctx) {
    show(ctx, { is: 'done' })
  },
})

/** What the library throws at a code that was typed has names, and is not given out. */
const wrongBy: Readonly<Record<string, 'missing' | 'unknown' | 'expired' | 'used'>> = {
  NoCodeError: 'missing',
  NotFoundError: 'unknown',
  ExpiredError: 'expired',
  AlreadyUsedError: 'used',
}

const inputOf = (ctx: KoaContextWithOIDC, out: { readonly error: string } | undefined, error: Error | undefined): DeviceShown => {
  if (error === undefined) return { is: 'code', xsrf: secretOf(ctx) }
  if (error.name === 'AbortedError') return { is: 'refused' }
  const wrong = wrongBy[error.name]
  if (wrong !== undefined && ctx.oidc.route === 'code_verification') return { is: 'code', xsrf: secretOf(ctx), wrong }
  const status = 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode >= 400 ? error.statusCode : 400
  const isOver = wrong !== undefined || status < 500
  return { is: 'problem', problem: { status, error: out?.error ?? 'invalid_request', ...(isOver && { about: 'expired' }) } }
}

const secretOf = ({ oidc }: KoaContextWithOIDC): string => {
  const { state } = oidc.session ?? {}
  return textOf((state as { readonly secret?: unknown } | undefined)?.secret)
}
