import type { Authenticate } from '../auth/bearer.ts'
import type { Principal as PolicyPrincipal } from '../auth/policy/principal.ts'
import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { Answer, InteractionCode, InteractionRequest, Parameter, Perform, Principal } from '../interactions/request.ts'
import type { Admission } from './admission.ts'
import { rawAnswer } from './binary.ts'
import type { BodyBudget } from './body-budget.ts'
import { callerOf } from './caller.ts'
import { takesBody } from './content-type.ts'
import { type Origins, originOf, preflightHeaders } from './cors.ts'
import { decode } from './decode.ts'
import type { Exchange } from './exchange.ts'
import { checkHeaderBlock, checkOverride, conditionsOf, languageOf, preferencesOf } from './headers.ts'
import { negotiate, wantsHtml } from './negotiate.ts'
import { parseQuery } from './query.ts'
import type { RateLimit } from './rate-limit.ts'
import { sendAnswer, sendFailure, sendStatus } from './respond.ts'
import { checkNeeds, createRouter, type Match, type Router, targetOf } from './routes.ts'
import type { Target } from './target.ts'
import type { TokenLimits } from './token-limits.ts'

export type PipelineParts = {
  readonly perform: Perform
  readonly definitions: Definitions
  readonly limits: Limits
  /** Public address of the API, without a slash at the end. */
  readonly base: string
  readonly admission: Admission
  readonly budget: BodyBudget
  /** Absent: nobody is counted. */
  readonly rateLimit?: RateLimit
  /** Absent: sign-in is off, and everybody is the same anonymous principal. */
  readonly authenticate?: Authenticate
  /** Absent: no token is counted. */
  readonly tokenLimits?: TokenLimits
  /** Absent: no other origin's. */
  readonly origins?: Origins
  /** Our own proxies, whose word on addresses is believed. */
  readonly proxies?: readonly string[]
}

/** A request's life: *count, limits, route, authenticate, negotiate, decode, perform, respond*. Throws only for bugs and broken infrastructure. */
export type Pipeline = (exchange: Exchange, target: Target) => Promise<void>

export const createPipeline = (parts: PipelineParts): Pipeline => {
  const router = createRouter(parts.definitions)
  const caller = callerOf(parts.proxies)
  return async (exchange, target) => {
    const { req, method } = exchange
    if (parts.rateLimit !== undefined) {
      const { headers, refused } = await parts.rateLimit(req, method, target.path)
      exchange.rateLimit = headers
      if (refused !== undefined) return sendFailure(exchange, refused)
    }
    const origin = parts.origins === undefined ? undefined : originOf(req.headers.origin)
    if (origin !== undefined && (await parts.origins?.ofAny(origin))) exchange.allowOrigin = origin
    if (method === 'OPTIONS') return sendOptions(exchange, target.path, router.allow(target.path))
    const routed = route(exchange, target, router, parts.limits)
    if (!routed.ok) return sendFailure(exchange, routed.failure)
    const { match, parameters } = routed.value
    if (leadsToStartPage(exchange, match, parameters)) return sendStatus(exchange, 302, ['Location', '/'])
    const asked = isOpen(match) ? everybody : (parts.authenticate?.(req.headers.authorization, caller(req), req) ?? everybody)
    // Who is remembered is known at once: a read waits for nothing but its store.
    const known = 'then' in asked ? await asked : asked
    if (!known.ok) return sendFailure(exchange, known.failure)
    const principal = known.value
    exchange.principal = principal
    if (principal.kind !== 'anonymous') {
      if (origin !== undefined && !(await mayRead(parts, principal, origin))) exchange.allowOrigin = undefined
      const counting = parts.tokenLimits?.(principal, method, target.path)
      const counted = counting !== undefined && 'then' in counting ? await counting : counting
      if (counted !== undefined) exchange.rateLimit = counted.headers
      if (counted?.refused !== undefined) return sendFailure(exchange, counted.refused)
    }
    const request = negotiateRequest(exchange, match, parameters)
    if (!request.ok) return sendFailure(exchange, request.failure)
    const complete = takesBody(match.interaction, method) ? await withBody(exchange, match, request.value, parts) : request
    if (!complete.ok) return sendFailure(exchange, complete.failure)
    if (!parts.admission.enterNow() && !(await parts.admission.enter())) return sendFailure(exchange, overloaded.failure)
    let outcome: Outcome<Answer>
    try {
      outcome = await parts.perform(complete.value, {
        principal,
        requestId: exchange.requestId,
        deadline: exchange.deadline(parts.limits[deadlines[match.interaction]]),
        via: 'http',
        language: languageOf(req.headers['accept-language']),
      })
    } finally {
      parts.admission.leave()
    }
    return respond(exchange, outcome, parts.base)
  }
}

const overloaded = fail('overloaded', {}, { retryAfterSeconds: 1 })

/** Everything that can be refused before it is known who asks. */
const route = (
  exchange: Exchange,
  target: Target,
  router: Router,
  limits: Limits,
): Outcome<{ readonly match: Match; readonly parameters: readonly Parameter[] }> => {
  const { req, method } = exchange
  if ((req.url as string).length > limits.urlBytesMax) return fail('url-too-long', { max: limits.urlBytesMax })
  const block = checkHeaderBlock(req.rawHeaders, limits)
  if (!block.ok) return block
  const override = checkOverride(method, req.headers)
  if (!override.ok) return override
  const match = router.match(method, target.path)
  if (!match.ok) return match
  exchange.match = match.value
  const parsed = parseQuery(target.query, limits)
  if (!parsed.ok) return parsed
  const parameters = withoutMethod(parsed.value, method)
  return parameters.ok ? ok({ match: match.value, parameters: parameters.value }) : parameters
}

/** `_method` is an override too: harmless when it says what the method is. */
const withoutMethod = (parameters: readonly Parameter[], method: string): Outcome<readonly Parameter[]> => {
  if (parameters.length === 0 || !parameters.some(({ name }) => name === '_method')) return ok(parameters)
  const differs = parameters.some(({ name, value }) => name === '_method' && value.toUpperCase() !== method)
  return differs ? fail('method-override', {}, { location: ['http._method'] }) : ok(parameters.filter(({ name }) => name !== '_method'))
}

/** Where sign-in is off, and for what is open to all. */
const everybody = ok<Principal>({ kind: 'anonymous' })

/** A client must learn what the server can before it can have a token. */
const isOpen = ({ interaction }: Match): boolean => interaction === 'capabilities'

/** Whether scripts of an origin belong to the application that asks. What is no application, such as a job, is asked for by no script. */
const mayRead = async ({ origins }: PipelineParts, principal: PolicyPrincipal, origin: string): Promise<boolean> =>
  principal.clientId !== undefined && (await origins?.ofClient(principal.clientId, origin)) === true

/** A browser that was sent to [base] is looking for a page. */
const leadsToStartPage = ({ req, method }: Exchange, match: Match, parameters: readonly Parameter[]): boolean =>
  match.needs === 'parameters' && parameters.length === 0 && method === 'GET' && wantsHtml(req.headers.accept)

/** Media types, then headers and parameters. */
const negotiateRequest = (exchange: Exchange, match: Match, parameters: readonly Parameter[]): Outcome<InteractionRequest> => {
  const { req, method } = exchange
  const readsBinary = match.type === 'Binary' && (match.interaction === 'read' || match.interaction === 'vread')
  const binary = readsBinary && !parameters.some(({ name }) => reducing.has(name))
  const format = negotiate(req.headers.accept, parameters, binary)
  if (!format.ok) return format
  exchange.format = format.value
  const needs = checkNeeds(match, parameters)
  if (!needs.ok) return needs
  const conditions = conditionsOf(method, req.headers)
  if (!conditions.ok) return conditions
  const { prefer, waitMs } = preferencesOf(req.headers.prefer)
  exchange.prefer = prefer
  exchange.waitMs = waitMs
  const target = targetOf(match, parameters)
  return ok(conditions.value === undefined ? { ...target, prefer } : { ...target, prefer, conditions: conditions.value })
}

/** A part of a resource is a resource still, but a part of a content would be a broken file. */
const reducing: ReadonlySet<string> = new Set(['_elements', '_summary'])

/** Parameters of a form stand beside those of the URL. */
const withBody = async (
  exchange: Exchange,
  match: Match,
  request: InteractionRequest,
  { limits, budget }: PipelineParts,
): Promise<Outcome<InteractionRequest>> => {
  const decoded = await decode(exchange, match, limits, budget)
  if (!decoded.ok) return decoded
  const { body, parameters } = decoded.value
  if (body !== undefined) return ok({ ...request, body })
  if (parameters === undefined) return ok(request)
  if (request.parameters.length + parameters.length > limits.parametersMax)
    return fail('too-many-parameters', { max: limits.parametersMax })
  const joined = withoutMethod([...request.parameters, ...parameters], exchange.method)
  if (!joined.ok) return joined
  const format = negotiate(exchange.req.headers.accept, joined.value, false)
  if (!format.ok) return format
  exchange.format = format.value
  return ok({ ...request, parameters: joined.value })
}

/** Which bound of time holds for an interaction. */
const deadlines = {
  read: 'readMs',
  vread: 'readMs',
  create: 'readMs',
  update: 'readMs',
  patch: 'readMs',
  delete: 'readMs',
  capabilities: 'readMs',
  'history-instance': 'searchMs',
  'history-type': 'searchMs',
  'history-system': 'searchMs',
  'search-type': 'searchMs',
  'search-system': 'searchMs',
  'search-compartment': 'searchMs',
  // A POST to [base] is a batch until its Bundle is read.
  batch: 'transactionMs',
  transaction: 'transactionMs',
  '$break-glass': 'readMs',
} as const satisfies Record<InteractionCode, keyof Limits>

const respond = (exchange: Exchange, outcome: Outcome<Answer>, base: string): void | Promise<void> => {
  if (!outcome.ok) return sendFailure(exchange, outcome.failure)
  const { raw } = exchange.format
  if (raw === undefined) return sendAnswer(exchange, outcome.value, base)
  const content = rawAnswer(outcome.value, raw)
  return content.ok ? sendAnswer(exchange, content.value, base) : sendFailure(exchange, content.failure)
}

/** Also a preflight: the origin of any client that is in use, since it carries no token that would say which. Anybody may read the capabilities. */
const sendOptions = (exchange: Exchange, path: string, allow: Outcome<readonly string[]>): void | Promise<void> => {
  if (!allow.ok) return sendFailure(exchange, allow.failure)
  const origin = path === '/metadata' ? '*' : exchange.allowOrigin
  exchange.allowOrigin = undefined
  const isPreflight = exchange.req.headers['access-control-request-method'] !== undefined && origin !== undefined
  return sendStatus(exchange, 204, ['Allow', allow.value.join(', '), ...(isPreflight ? preflightHeaders(origin, allow.value) : [])])
}
