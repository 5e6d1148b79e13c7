import { isId } from '../base/ids.ts'
import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Body, Parameter } from '../interactions/request.ts'
import { hasBody, readBody } from './body.ts'
import type { BodyBudget } from './body-budget.ts'
import { type BodyKind, bodyKindOf } from './content-type.ts'
import type { Exchange } from './exchange.ts'
import { parseQuery } from './query.ts'
import type { Match } from './routes.ts'

/** What a body is to the interaction: bytes of a resource or patch, raw content, or more parameters. */
export type Decoded = { readonly body?: Body; readonly parameters?: readonly Parameter[] }

const nothing = ok<Decoded>({})

/** Fails as `bodyKindOf` and `readBody` do; a form also as `parseQuery`. */
export const decode = async (exchange: Exchange, match: Match, limits: Limits, budget: BodyBudget): Promise<Outcome<Decoded>> => {
  const { req } = exchange
  if (!hasBody(req)) return nothing
  const contentType = req.headers['content-type']
  const kind = bodyKindOf(match.interaction, match.type, contentType)
  if (!kind.ok) return kind
  const context = securityContextOf(req.headers['x-security-context'])
  if (!context.ok) return context
  const bytes = await readBody(exchange, bytesMax(kind.value, match, limits), limits, budget)
  if (!bytes.ok) return bytes
  if (kind.value === 'form') return parseForm(bytes.value, limits)
  const securityContext = context.value === undefined || match.type !== 'Binary' ? {} : { securityContext: context.value }
  if (kind.value === 'raw') return ok({ body: { kind: 'raw', bytes: bytes.value, contentType: contentType ?? '', ...securityContext } })
  if (kind.value === 'resource') return ok({ body: { kind: 'resource', bytes: bytes.value, ...securityContext } })
  return ok({ body: { kind: kind.value, bytes: bytes.value } })
}

/** Room for the members around the content of a Binary. */
const binaryMembers = 4096

const bytesMax = (kind: BodyKind, { interaction, type }: Match, limits: Limits): number => {
  if (kind === 'form') return limits.formBytesMax
  if (kind === 'raw') return limits.binaryBytesMax
  if (interaction === 'batch') return limits.bundleBytesMax
  return type === 'Binary' ? Math.ceil((limits.binaryBytesMax * 4) / 3) + binaryMembers : limits.resourceBytesMax
}

const parseForm = (bytes: Uint8Array, limits: Limits): Outcome<Decoded> => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  // A form goes where a URL is too short, so one value may be as long as the form.
  const parameters = parseQuery(text.trimEnd(), { ...limits, urlValueBytesMax: limits.formBytesMax })
  return parameters.ok ? ok({ parameters: parameters.value }) : parameters
}

/** `X-Security-Context: Patient/1`. @see https://hl7.org/fhir/R4/binary.html#security-context */
const securityContextOf = (header: string | readonly string[] | undefined): Outcome<string | undefined> => {
  if (header === undefined) return ok(undefined)
  const [type = '', id = '', ...rest] = String(header).split('/')
  if (/^[A-Z][A-Za-z]{1,39}$/.test(type) && isId(id) && rest.length === 0) return ok(String(header))
  return fail(
    'bad-header',
    { header: 'X-Security-Context', rule: rule('reference-such-as', { example: 'Patient/1' }) },
    { location: ['http.X-Security-Context'] },
  )
}
