import { isDeepStrictEqual } from 'node:util'
import { fail, type Outcome, ok } from '../../base/outcome.ts'
import type { RecordPosition, RecordWrite, StoredRecord } from '../../storage/port.ts'
import type { Fact, FactKind } from '../facts.ts'
import { commitFacts, type Ground, type Origin } from '../ground.ts'
import { again, putOver, untilHeld } from '../record-plans.ts'
import { isAnother } from '../second-person.ts'
import { newSecret } from '../secrets.ts'
import { type Client, clientRecords } from './client.ts'
import { needsApproval, type Registration } from './registration.ts'
import { secretPlace } from './registry.ts'

/** What administrators do to applications; who may is decided before. Who does it (an account, or a word for a program), and who looked at it besides. @see auth.md 10.1 */
export type Hands = { readonly by: string; readonly approvedBy?: string }

export type ClientChanged = { readonly client: Client; readonly facts: readonly Fact[] }

const secretMs = 365 * 86_400_000
/** How long the secret before goes on while a new one is handed over. */
const handoverMs = 30 * 86_400_000
const secretsMax = 2
const approvalsMax = 20

/** What is written together with a change, over the client as it was read. Fails `write-conflict` when that does not hold: whoever read it reads again. */
export type Beside = { readonly over: StoredRecord<Client>; readonly records: readonly RecordWrite[]; readonly facts: readonly Fact[] }

/** A new client: in use at once, or a draft where a second person has to look at it. `records` are written with it; where they do not hold it fails `write-conflict`. */
export const registerClient = async (
  ground: Ground,
  registration: Registration,
  { by, approvedBy }: Hands,
  origin: Origin,
  records: readonly RecordWrite[] = [],
): Promise<Outcome<ClientChanged>> => {
  const now = ground.clock()
  const client: Client = {
    ...registration,
    id: ground.random(15).toString('base64url'),
    secrets: [],
    status: registration.trust === 'self-registered' || (needsApproval(registration) && approvedBy === undefined) ? 'draft' : 'active',
    createdAt: now,
    createdBy: by,
    approvals: approvedBy === undefined ? [] : [{ by: approvedBy, at: now }],
  }
  const facts = [fact('client-registered', client.id, by)]
  const done = await commitFacts(ground, [putOver(clientRecords, undefined, client), ...records], facts, origin)
  if (!done.ok) return done
  if (!done.value.held) return fail('write-conflict', {})
  return ok({ client, facts })
}

/** Whether a change of a client in use waits for a second person: all but names and addresses for people of one that was looked at. */
export const changeNeedsApproval = (before: Client, after: Registration): boolean =>
  before.status === 'active' && (needsApproval(before) || needsApproval(after)) && !isDeepStrictEqual(weighty(before), weighty(after))

const weighty = (client: Client | Registration): object => {
  const { name: _n, publisher: _p, contacts: _c, termsUri: _t, policyUri: _u, rateClass: _r, ...rest } = registrationOf(client)
  return rest
}

/** What was said when it was registered, without what the registry says. */
export const registrationOf = (client: Client | Registration): Registration => {
  const { id: _i, secrets: _s, status: _t, createdAt: _a, createdBy: _b, approvals: _p, ...registration } = client as Client
  return registration
}

/** Another registration in place of the one there is. Fails `unknown-instance`, `another-person`. */
export const changeClient = (
  ground: Ground,
  id: string,
  registration: Registration,
  { by, approvedBy }: Hands,
  origin: Origin,
  beside?: Beside,
): Promise<Outcome<ClientChanged>> =>
  rewrite(ground, { id, origin, beside }, before => {
    if (changeNeedsApproval(before, registration) && !isAnother(by, approvedBy)) return fail('another-person', {})
    const { id: kept, secrets, status, createdAt, createdBy } = before
    const after: Client = {
      ...registration,
      id: kept,
      secrets: takesSecrets(registration) ? secrets : [],
      status,
      createdAt,
      createdBy,
      approvals: withApproval(before, approvedBy, ground.clock()),
    }
    return ok({ after, facts: [fact('client-changed', id, by)] })
  })

/** Lets it ask for tokens. Fails `another-person` where nobody but who asked looked at it, `wrong-status` when it does so already. */
export const activateClient = (
  ground: Ground,
  id: string,
  { by, approvedBy }: Hands,
  origin: Origin,
  beside?: Beside,
): Promise<Outcome<ClientChanged>> =>
  rewrite(ground, { id, origin, beside }, before => {
    if (before.status === 'active') return fail('wrong-status', { status: before.status })
    if (needsApproval(before) && !isAnother(by, approvedBy)) return fail('another-person', {})
    const approvals = withApproval(before, approvedBy, ground.clock())
    return ok({ after: { ...before, status: 'active', approvals }, facts: [fact('client-activated', id, by)] })
  })

/** All its tokens stop at once: whoever looks one up asks for the client. */
export const suspendClient = (ground: Ground, id: string, by: string, origin: Origin): Promise<Outcome<ClientChanged>> =>
  rewrite(ground, { id, origin }, before =>
    before.status === 'suspended'
      ? fail('wrong-status', { status: before.status })
      : ok({ after: { ...before, status: 'suspended' }, facts: [fact('client-suspended', id, by)] }),
  )

/** A new secret, shown this once. The one before goes on for 30 days at most; an older one ends. Fails `wrong-status` for a client that takes none. */
export const addSecret = async (
  ground: Ground,
  id: string,
  by: string,
  origin: Origin,
): Promise<Outcome<ClientChanged & { readonly secret: string }>> => {
  const { clock, random, ids, fields } = ground
  const secret = newSecret(random)
  const made = await rewrite(ground, { id, origin }, before => {
    if (!takesSecrets(before)) return fail('wrong-status', { status: before.type })
    const now = clock()
    const name = ids()
    const kept = before.secrets
      .filter(({ expiresAt }) => expiresAt > now)
      .slice(1 - secretsMax)
      .map(one => ({ ...one, expiresAt: Math.min(one.expiresAt, now + handoverMs) }))
    const added = { id: name, sealed: fields.encrypt(secret, secretPlace(id, name)), createdAt: now, expiresAt: now + secretMs }
    return ok({ after: { ...before, secrets: [...kept, added] }, facts: [fact('client-secret-made', id, by)] })
  })
  return made.ok ? ok({ ...made.value, secret }) : made
}

/** Ends a secret before its time. */
export const removeSecret = (ground: Ground, id: string, secret: string, by: string, origin: Origin): Promise<Outcome<ClientChanged>> =>
  rewrite(ground, { id, origin }, before => {
    const secrets = before.secrets.filter(one => one.id !== secret)
    if (secrets.length === before.secrets.length) return fail('unknown-instance', { what: 'secret' })
    return ok({ after: { ...before, secrets }, facts: [fact('client-secret-removed', id, by)] })
  })

export const clientById = ({ store }: Ground, id: string): Promise<StoredRecord<Client> | undefined> =>
  store.records<Client>(clientRecords).get(id)

/** By status and name; `next` is where the next page begins. */
export const listClients = async (
  { store }: Ground,
  { status, limit, after }: { readonly status?: Client['status']; readonly limit: number; readonly after?: RecordPosition },
): Promise<{ readonly clients: readonly Client[]; readonly next?: RecordPosition }> => {
  const bounds = status === undefined ? {} : { from: [status], to: [status] }
  const page = await store.records<Client>(clientRecords).range('status', { ...bounds, limit, ...(after === undefined ? {} : { after }) })
  const last = page.rows.at(-1)
  return { clients: page.rows.map(({ value }) => value), ...(page.more && last !== undefined ? { next: last.position } : {}) }
}

export const takesSecrets = ({ type }: Pick<Client, 'type'>): boolean => type === 'symmetric' || type === 'resource-server'

type Change = Outcome<{ readonly after: Client; readonly facts: readonly Fact[] }>

type Rewriting = { readonly id: string; readonly origin: Origin; readonly beside?: Beside | undefined }

/** Changes a client as it is at that moment. */
const rewrite = (ground: Ground, { id, origin, beside }: Rewriting, change: (before: Client) => Change) =>
  untilHeld<ClientChanged>(async () => {
    const before = beside?.over ?? (await clientById(ground, id))
    if (before === undefined) return fail('unknown-instance', { what: 'client' })
    const made = change(before.value)
    if (!made.ok) return made
    const { after } = made.value
    const facts = [...(beside?.facts ?? []), ...made.value.facts]
    const done = await commitFacts(ground, [putOver(clientRecords, before, after), ...(beside?.records ?? [])], facts, origin)
    if (!done.ok) return done
    if (!done.value.held) return beside === undefined ? again : fail('write-conflict', {})
    return ok({ client: after, facts })
  })

const withApproval = ({ approvals }: Client, by: string | undefined, at: number): Client['approvals'] =>
  by === undefined ? approvals : [...approvals, { by, at }].slice(-approvalsMax)

const fact = (what: FactKind, client: string, by: string): Fact => ({ what, client, by })
