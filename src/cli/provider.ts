import { mayBeSecond } from '../auth/admin/second.ts'
import { shownProvider } from '../auth/admin/provider-routes.ts'
import type { Provider } from '../auth/federation/provider.ts'
import { activateProvider, addProvider, listProviders, providerById, suspendProvider } from '../auth/federation/provider-administration.ts'
import { readProvider } from '../auth/federation/read-provider.ts'
import { host } from '../auth/second-person.ts'
import { fail, type Outcome } from '../base/outcome.ts'
import { type Administering, atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** `simpul provider …`: outside identity providers, from the host. @see auth.md 13 */

/** Registers what a JSON document says, and says what has to be registered at the provider. */
export const addProviderOf = async (open: Open, read: () => Promise<string>, terminal: Terminal): Promise<number> => {
  const json = jsonOf(await read())
  if (json === undefined) {
    terminal.err('The document is no JSON.')
    return exitCodes.usage
  }
  await using parts = await open()
  const provider = readProvider(json, { roles: parts.roles, loopback: !parts.registration.production })
  if (!provider.ok) return failed(terminal, provider.failure)
  const added = await addProvider(parts.ground, provider.value, host, atHost)
  if (!added.ok) return failed(terminal, added.failure)
  const shown = shownProvider(added.value, parts.address.base)
  report(terminal, shown, lineOf(added.value))
  terminal.err(`Register this redirect URI at the provider: ${String(shown.redirectUri)}`)
  if (shown.backchannelLogoutUri !== undefined) terminal.err(`And this for back-channel logout: ${String(shown.backchannelLogoutUri)}`)
  terminal.err(`It is a draft until an administrator lets it in; while there is none: "simpul provider activate ${added.value.id}".`)
  return exitCodes.good
}

export const listProvidersOf = async (open: Open, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  for (const provider of await listProviders(parts.ground)) report(terminal, shownProvider(provider, parts.address.base), lineOf(provider))
  return exitCodes.good
}

export const showProvider = async (open: Open, id: string, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const kept = await providerById(parts.ground, id)
  if (kept === undefined) return failed(terminal, fail('unknown-instance', { what: 'provider' }).failure)
  terminal.out(JSON.stringify(shownProvider(kept.value, parts.address.base), undefined, terminal.json ? 0 : 2))
  return exitCodes.good
}

/** The second person, while fewer than two accounts could be. */
export const activateProviderById = (open: Open, id: string, terminal: Terminal): Promise<number> =>
  changed(open, terminal, parts => activateProvider(parts.ground, id, host, atHost, asked => mayBeSecond(parts, 'idp.manage', asked, host)))

export const suspendProviderById = (open: Open, id: string, terminal: Terminal): Promise<number> =>
  changed(open, terminal, ({ ground }) => suspendProvider(ground, id, host, atHost))

const changed = async (open: Open, terminal: Terminal, change: (parts: Administering) => Promise<Outcome<Provider>>): Promise<number> => {
  await using parts = await open()
  const done = await change(parts)
  if (!done.ok) return failed(terminal, done.failure)
  report(terminal, shownProvider(done.value, parts.address.base), lineOf(done.value))
  return exitCodes.good
}

const lineOf = ({ id, name, status, issuer, proposed }: Provider): string =>
  [id.padEnd(24), status.padEnd(9), issuer, name, ...(proposed === undefined ? [] : ['(a change waits)'])].join('  ')

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
