import { type Failure, type Outcome, statusOf } from '../../src/base/outcome.ts'
import type { Answer, Body, Conditions, Context, InteractionRequest, Prefer } from '../../src/interactions/request.ts'
import type { TestParts } from '../support/parts.ts'

/** Requests as a client writes them, put to the one door. */

export type Sent = {
  readonly body?: unknown
  readonly conditions?: Conditions
  readonly prefer?: Partial<Prefer>
  readonly context?: Partial<Context>
}

/** What came back, flat. */
export type Heard = {
  readonly status: number
  readonly kind?: string
  readonly failure?: Failure
  readonly answer?: Answer
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every type
  readonly body?: any
  readonly issues: readonly string[]
}

const encoder = new TextEncoder()

const bodyOf = (method: string, sent: unknown): Body | undefined => {
  if (sent === undefined) return undefined
  if (typeof sent === 'object' && sent !== null && 'kind' in sent && 'bytes' in sent) return sent as Body
  const bytes = encoder.encode(typeof sent === 'string' ? sent : JSON.stringify(sent))
  if (method === 'PATCH' && Array.isArray(sent)) return { kind: 'json-patch', bytes }
  return { kind: 'resource', bytes }
}

const kindsOf = ({ kind, more = [] }: Failure): string[] => [kind, ...more.map(issue => issue.kind)]

export const hear = (outcome: Outcome<Answer>): Heard => {
  if (!outcome.ok) {
    const { failure } = outcome
    return { status: statusOf(failure), kind: failure.kind, failure, issues: kindsOf(failure) }
  }
  const { status, body, issues = [] } = outcome.value
  return {
    status,
    answer: outcome.value,
    issues: issues.map(({ kind }) => kind),
    ...(body?.kind === 'json' ? { body: JSON.parse(Buffer.concat(body.chunks).toString('utf8')) } : {}),
  }
}

/** `say(parts, 'PUT', 'Patient/1', { body })` */
export const say = async (parts: TestParts, method: string, url: string, sent: Sent = {}): Promise<Heard> => {
  const routed: Outcome<Pick<InteractionRequest, 'interaction' | 'type' | 'id' | 'versionId' | 'compartment' | 'parameters'>> =
    url === '' ? { ok: true, value: { interaction: 'batch', parameters: [] } } : parts.route(method, url)
  if (!routed.ok) return hear(routed)
  const body = bodyOf(method, sent.body)
  const request: InteractionRequest = {
    ...routed.value,
    prefer: { handling: 'strict', ...sent.prefer },
    ...(sent.conditions === undefined ? {} : { conditions: sent.conditions }),
    ...(body === undefined ? {} : { body }),
  }
  return hear(await parts.perform(request, parts.context(sent.context)))
}

export const bundle = (type: string, entry: readonly unknown[]) => ({ resourceType: 'Bundle', type, entry })

/** `entry('POST', 'Patient', resource, { fullUrl, ifNoneExist })` */
export const entry = (method: string, url: string, resource?: unknown, more: Record<string, string> = {}) => {
  const { fullUrl, ...conditions } = more
  return {
    ...(fullUrl === undefined ? {} : { fullUrl }),
    ...(resource === undefined ? {} : { resource }),
    request: { method, url, ...conditions },
  }
}
