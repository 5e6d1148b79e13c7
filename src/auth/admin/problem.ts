import type { ServerResponse } from 'node:http'
import { canonicalBase } from '../../base/canonical.ts'
import { sentence } from '../../base/failure-kinds.ts'
import { type Failure, statusOf } from '../../base/outcome.ts'
import { sendJson } from '../server/json-answer.ts'

/** A failure as problem JSON, in the words of our failure kinds. `errors` has an entry for each member that is wrong. @see RFC 9457 */
export const sendProblem = (
  res: ServerResponse,
  failure: Failure,
  { language, requestId, realm }: { readonly language: 'en' | 'id'; readonly requestId: string; readonly realm: string },
): void => {
  const status = statusOf(failure)
  const members = [failure, ...(failure.more ?? [])].filter(({ kind }) => kind === 'bad-member')
  const problem = {
    type: `${canonicalBase}/CodeSystem/outcome#${failure.kind}`,
    title: sentence(failure.kind, failure.values, 'en'),
    status,
    detail: sentence(failure.kind, failure.values, language),
    instance: `urn:simpul:request:${requestId}`,
    kind: failure.kind,
    ...(members.length === 0
      ? {}
      : { errors: members.map(({ kind, values }) => ({ member: values.member, detail: sentence(kind, values, language) })) }),
  }
  sendJson(res, status, problem, {
    'Content-Type': 'application/problem+json; charset=utf-8',
    'Cache-Control': 'no-store',
    'Content-Language': language,
    ...(failure.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(failure.retryAfterSeconds) }),
    ...(status === 401 || failure.kind === 'insufficient-scope' ? { 'WWW-Authenticate': challenge(failure, realm) } : {}),
  })
}

const kinds: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'insufficient-scope': { error: 'insufficient_scope', scope: '__admin' },
  'step-up-needed': { error: 'insufficient_user_authentication', acr_values: 'urn:simpul:acr:2', max_age: '300' },
}

/** @see RFC 6750 3, RFC 9470 3 */
const challenge = (failure: Failure, realm: string): string =>
  `${failure.challengeScheme ?? 'Bearer'} ${Object.entries({ realm, ...kinds[failure.kind], ...failure.challenge })
    .map(([name, value]) => (/^\d+$/.test(value) ? `${name}=${value}` : `${name}="${value.replace(/["\\]/g, '')}"`))
    .join(', ')}`
