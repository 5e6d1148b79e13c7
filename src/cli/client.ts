import { askApproval } from '../auth/admin/approvals.ts'
import { shownClient, shownHealth } from '../auth/admin/client-routes.ts'
import {
  activateClient,
  addSecret,
  clientById,
  listClients,
  registerClient,
  registrationOf,
  suspendClient,
  takesSecrets,
} from '../auth/clients/administration.ts'
import type { Client } from '../auth/clients/client.ts'
import { createClientHealth } from '../auth/clients/client-health.ts'
import { needsApproval, readRegistration } from '../auth/clients/registration.ts'
import { host } from '../auth/second-person.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { type Administering, atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** `simpul client …`: applications, from the host. @see auth.md 10.1 */

/** Registers what a JSON document says, and shows the secret of one that has a secret, this once. */
export const createClient = async (open: Open, read: () => Promise<string>, terminal: Terminal): Promise<number> => {
  const json = jsonOf(await read())
  if (json === undefined) {
    terminal.err('The document is no JSON.')
    return exitCodes.usage
  }
  await using parts = await open()
  const made = await created(parts, json)
  if (!made.ok) return failed(terminal, made.failure)
  const { client, secret, approval } = made.value
  report(terminal, { client: shownClient(client), secret, approval }, lineOf(client))
  if (secret !== undefined && !terminal.json) terminal.out(secret)
  if (approval !== undefined) terminal.err(waits(approval))
  return exitCodes.good
}

type Created = { readonly client: Client; readonly secret?: string; readonly approval?: string }

const created = async (parts: Administering, json: unknown): Promise<Outcome<Created>> => {
  const registration = readRegistration(json, parts.registration)
  if (!registration.ok) return registration
  const made = await registerClient(parts.ground, registration.value, { by: host }, atHost)
  if (!made.ok) return made
  const { client } = made.value
  const secret = takesSecrets(client) ? await addSecret(parts.ground, client.id, host, atHost) : undefined
  if (secret?.ok === false) return secret
  const approval = needsApproval(client) ? await activationAsked(parts, client) : undefined
  if (approval?.ok === false) return approval
  return ok({
    client,
    ...(secret === undefined ? {} : { secret: secret.value.secret }),
    ...(approval === undefined ? {} : { approval: approval.value }),
  })
}

const activationAsked = async (parts: Administering, client: Client): Promise<Outcome<string>> => {
  const what = { kind: 'client-activation' as const, client: client.id, before: registrationOf(client) }
  const asked = await askApproval(parts, what, host, atHost)
  return asked.ok ? ok(asked.value.approval.id) : asked
}

const waits = (approval: string): string =>
  `It is a draft until an administrator lets it in; while there is none: "simpul approve ${approval}".`

export const listClientsOf = async (open: Open, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  let page = await listClients(parts.ground, { limit: pageRows })
  for (;;) {
    for (const client of page.clients) report(terminal, { ...shownClient(client) }, lineOf(client))
    if (page.next === undefined) return exitCodes.good
    page = await listClients(parts.ground, { limit: pageRows, after: page.next })
  }
}

const pageRows = 200

export const showClient = async (open: Open, id: string, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const kept = await clientById(parts.ground, id)
  if (kept === undefined) return failed(terminal, unknownClient.failure)
  await using health = createClientHealth(parts.ground)
  const shown = { ...shownClient(kept.value), health: shownHealth(kept.value, await health.of(id)) }
  terminal.out(JSON.stringify(shown, undefined, terminal.json ? 0 : 2))
  return exitCodes.good
}

/** A new secret, shown this once; the one before goes on for 30 days at most. */
export const makeSecret = async (open: Open, id: string, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const made = await addSecret(parts.ground, id, host, atHost)
  if (!made.ok) return failed(terminal, made.failure)
  report(terminal, { client: id, secret: made.value.secret }, made.value.secret)
  return exitCodes.good
}

export const suspendClientById = async (open: Open, id: string, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const done = await suspendClient(parts.ground, id, host, atHost)
  if (!done.ok) return failed(terminal, done.failure)
  report(terminal, { ...shownClient(done.value.client) }, lineOf(done.value.client))
  return exitCodes.good
}

export const activateClientById = async (open: Open, id: string, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const kept = await clientById(parts.ground, id)
  if (kept === undefined) return failed(terminal, unknownClient.failure)
  if (kept.value.status === 'active') return failed(terminal, fail('wrong-status', { status: 'active' }).failure)
  if (needsApproval(kept.value)) {
    const asked = await activationAsked(parts, kept.value)
    if (!asked.ok) return failed(terminal, asked.failure)
    report(terminal, { approval: asked.value }, waits(asked.value))
    return exitCodes.good
  }
  const done = await activateClient(parts.ground, id, { by: host }, atHost)
  if (!done.ok) return failed(terminal, done.failure)
  report(terminal, { ...shownClient(done.value.client) }, lineOf(done.value.client))
  return exitCodes.good
}

const unknownClient = fail('unknown-instance', { what: 'client' })

const lineOf = ({ id, name, type, trust, status }: Client): string =>
  [id.padEnd(24), status.padEnd(9), type.padEnd(15), trust.padEnd(15), name].join('  ')

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
