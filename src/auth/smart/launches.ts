import type { IncomingMessage } from 'node:http'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { Client } from '../clients/client.ts'
import { isUsable } from '../clients/registry.ts'
import type { LaunchContext } from '../grants/grant-context.ts'
import type { Principal } from '../policy/principal.ts'
import { comesWithProof, findBrought, type TooMany } from '../principal/brought.ts'
import { sessionPrincipal } from '../principal/person.ts'
import { tokenPrincipal } from '../principal/token-principal.ts'
import { commitRecords, putOver } from '../record-plans.ts'
import { isRecord } from '../roles/json-shape.ts'
import { hasPlainScope } from '../scopes/scope.ts'
import { newSecret, secretHash } from '../secrets.ts'
import { wholeBody } from '../server/form-body.ts'
import { notStored, sendJson, sendOauthError, sendTooMany } from '../server/json-answer.ts'
import { ownSession } from '../server/own-session.ts'
import type { AuthorizationServerParts } from '../server/server-parts.ts'
import type { WebHandler } from '../web.ts'
import { type Launch, launchMs, launchRecords } from './launch-record.ts'

export type LaunchParts = Omit<AuthorizationServerParts, 'signingKeys' | 'cookieKeys' | 'renderError' | 'renderDevice' | 'mayPoll'>

/** What is to be opened. Patient and encounter are ids. @see auth.md 7.3 */
export type LaunchRequest = {
  readonly clientId: string
  readonly patient: string
  readonly encounter?: string
  readonly fhirContext?: readonly { readonly reference: string; readonly role?: string }[]
  readonly intent?: string
  readonly needPatientBanner?: boolean
  readonly smartStyleUrl?: string
  readonly tenant?: string
}

export type LaunchMade =
  /** Where the browser goes: the registered launch URL with `iss` and `launch`. */
  { readonly is: 'made'; readonly launch: string; readonly url: string } | { readonly is: 'refused'; readonly why: string }

/** Starts an application for a patient that the user may see. `refused` names what does not fit, never what is behind it. */
export const makeLaunch = async (parts: LaunchParts, principal: Principal, request: LaunchRequest): Promise<Outcome<LaunchMade>> => {
  const { ground, address } = parts
  const client = await parts.clients.find(request.clientId)
  const launchUri = client && launchUriOf(client)
  if (client === undefined || launchUri === undefined) return refused('clientId')
  if (principal.accountId === undefined) return refused('user')
  if ((await parts.see(principal, 'Patient', request.patient)) === undefined) return refused('patient')
  const { encounter } = request
  if (encounter !== undefined && (await parts.see(principal, 'Encounter', encounter))?.subject !== request.patient)
    return refused('encounter')
  for (const { reference } of request.fhirContext ?? []) {
    const [type = '', id = ''] = reference.split('/')
    if ((await parts.see(principal, type, id)) === undefined) return refused('fhirContext')
  }
  const value = newSecret(ground.random)
  const now = ground.clock()
  const launch: Launch = {
    hash: secretHash(value),
    client: client.id,
    account: principal.accountId,
    patient: request.patient,
    ...(encounter !== undefined && { encounter }),
    context: contextOf(request),
    createdAt: now,
    expires: now + launchMs,
  }
  const done = await commitRecords(ground.store, [putOver<Launch>(launchRecords, undefined, launch)])
  if (!done.ok) return done
  const url = new URL(launchUri)
  url.searchParams.set('iss', address.fhir)
  url.searchParams.set('launch', value)
  return ok({ is: 'made', launch: value, url: url.href })
}

/** Where a browser goes that starts the application; undefined for one that nobody can start now. */
export const launchUriOf = (client: Client): string | undefined => (isUsable(client) ? client.launchUris[0] : undefined)

const refused = (why: string): Outcome<LaunchMade> => ok({ is: 'refused', why })

const contextOf = ({ fhirContext, intent, needPatientBanner, smartStyleUrl, tenant }: LaunchRequest): LaunchContext => ({
  ...(fhirContext !== undefined && fhirContext.length > 0 && { fhirContext }),
  ...(needPatientBanner !== undefined && { need_patient_banner: needPatientBanner }),
  ...(intent !== undefined && { intent }),
  ...(smartStyleUrl !== undefined && { smart_style_url: smartStyleUrl }),
  ...(tenant !== undefined && { tenant }),
})

/**
 * `POST /smart/launches`, in JSON: for whoever is signed in with our session, from our own pages, and for applications with the scope `__launch.create`. The
 * answer is `launch` and `url`.
 */
export const createLaunches =
  (parts: LaunchParts): WebHandler =>
  async (req, res, from) => {
    if (req.method !== 'POST') return sendOauthError(res, 405, 'invalid_request', 'POST is needed', { Allow: 'POST' })
    const { authorization = '' } = req.headers
    const asker = await askerOf(parts, req, from.address)
    if (asker === undefined) {
      const scheme = comesWithProof(authorization) ? 'DPoP' : 'Bearer'
      return sendOauthError(res, 401, 'invalid_token', undefined, { 'WWW-Authenticate': `${scheme} realm="${parts.address.issuer}"` })
    }
    if (asker === 'scope') return sendOauthError(res, 403, 'insufficient_scope')
    if ('tooManyForMs' in asker) return sendTooMany(res, asker)
    const request = await requestOf(parts, req)
    if (request === undefined) return sendOauthError(res, 400, 'invalid_request', 'the body is no launch')
    const made = await makeLaunch(parts, asker, request)
    if (!made.ok) return sendOauthError(res, 503, 'temporarily_unavailable', undefined, { 'Retry-After': '5' })
    if (made.value.is === 'refused') return sendOauthError(res, 400, 'invalid_request', `${made.value.why} is refused`)
    sendJson(res, 201, { launch: made.value.launch, url: made.value.url }, notStored)
  }

/** A cookie counts only from our own pages: other sites can make a browser send it. */
const askerOf = async (parts: LaunchParts, req: IncomingMessage, from: string): Promise<Principal | TooMany | 'scope' | undefined> => {
  const { authorization, origin } = req.headers
  if (authorization !== undefined) {
    const found = await findBrought(parts, authorization, req, from)
    if (typeof found === 'string') return undefined
    if ('tooManyForMs' in found) return found
    const principal = await tokenPrincipal(parts, found, secretHash(found.token))
    return hasPlainScope(principal.scopes ?? [], '__launch.create') ? principal : 'scope'
  }
  const live = origin === parts.address.base ? await ownSession(parts, req) : undefined
  return live && sessionPrincipal(parts, live)
}

const contextMax = 50
const textMax = 512

const requestOf = async ({ definitions }: LaunchParts, req: IncomingMessage): Promise<LaunchRequest | undefined> => {
  const body = /^application\/json(?:;|$)/i.test(req.headers['content-type'] ?? '') ? await wholeBody(req) : undefined
  const json = parsed(body)
  if (!isRecord(json) || !isText(json.clientId) || !isText(json.patient)) return undefined
  const { clientId, patient, encounter, intent, smartStyleUrl, tenant, needPatientBanner, fhirContext = [] } = json
  for (const text of [encounter, intent, smartStyleUrl, tenant]) if (text !== undefined && !isText(text)) return undefined
  if (needPatientBanner !== undefined && typeof needPatientBanner !== 'boolean') return undefined
  const context =
    Array.isArray(fhirContext) && fhirContext.length <= contextMax
      ? fhirContext.map(one => contextItem(one, definitions.isResourceType))
      : [undefined]
  const items = context.flatMap(item => item ?? [])
  if (items.length < context.length) return undefined
  return {
    clientId,
    patient,
    ...(isText(encounter) && { encounter }),
    ...(isText(intent) && { intent }),
    ...(isText(smartStyleUrl) && { smartStyleUrl }),
    ...(isText(tenant) && { tenant }),
    ...(typeof needPatientBanner === 'boolean' && { needPatientBanner }),
    ...(items.length > 0 && { fhirContext: items }),
  }
}

/** A relative reference to a real type; never Patient or Encounter unless in a role, which have members of their own. @see auth.md 7.4 */
const contextItem = (
  item: unknown,
  isType: (type: string) => boolean,
): { readonly reference: string; readonly role?: string } | undefined => {
  if (!isRecord(item) || !isText(item.reference)) return undefined
  const { reference, role } = item
  const [type = '', id = '', ...more] = reference.split('/')
  if (more.length > 0 || !isType(type) || !/^[A-Za-z0-9.-]{1,64}$/.test(id)) return undefined
  if (role !== undefined && !(isText(role) && URL.canParse(role))) return undefined
  if (role === undefined && (type === 'Patient' || type === 'Encounter')) return undefined
  return { reference, ...(isText(role) && { role }) }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= textMax

const parsed = (body: Buffer | undefined): unknown => {
  try {
    return body && JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
