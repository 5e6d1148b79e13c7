import type { BreakGlass } from '../auth/emergencies/break-glass.ts'
import { emergencyReasons } from '../auth/emergencies/emergency.ts'
import type { Principal } from '../auth/policy/principal.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import { rule } from '../base/rules.ts'
import type { Call, Interaction, Parts } from './parts.ts'
import { refuseParameters } from './refuse-parameters.ts'
import type { InteractionRequest } from './request.ts'
import { readJson } from './resource-body.ts'
import { isVisible } from './visible.ts'

const operation = 'break-glass'

/**
 * `POST Patient/{id}/$break-glass` with Parameters `reason` (code), `text` (string) and `minutes` (integer, 60 when absent); answers `until` (instant).
 * A patient that is not there and one that would stay hidden are the same 404. @see auth.md 12.5
 */
export const breakGlass: Interaction = async (request, call, parts) => {
  const { principal } = call
  if (request.type !== 'Patient' || request.id === undefined) return fail('unknown-operation', { operation })
  // Somebody means it, one patient at a time: no entry of a Bundle does.
  const isAlone = call.via !== 'batch'
  if (principal.kind === 'anonymous' || parts.openEmergency === undefined || !isAlone) return fail('not-enabled', { what: `$${operation}` })
  const refused = refuseParameters(request.parameters, request.interaction)
  if (!refused.ok) return refused
  const asked = readAsked(request, request.id, parts)
  if (!asked.ok) return asked
  const opened = await parts.openEmergency(principal, asked.value, (as, patient) => wouldSee(as, patient, call, parts), call.requestId)
  if (!opened.ok) return opened
  const { id, until } = opened.value.emergency
  const answer = {
    resourceType: 'Parameters',
    parameter: [
      { name: 'emergency', valueString: id },
      { name: 'until', valueInstant: new Date(until).toISOString() },
    ],
  }
  return ok({
    status: 200,
    body: { kind: 'json', chunks: [new TextEncoder().encode(JSON.stringify(answer))] },
    touched: [{ type: 'Patient', id: request.id }],
  })
}

/** As a read by this principal would have it; a patient that is hidden costs as much as one that never was. */
const wouldSee = async (principal: Principal, id: string, call: Call, parts: Parts): Promise<boolean> => {
  const access = parts.decide(principal, 'read', 'Patient')
  const newest = await parts.store.newest('Patient', id)
  if (!access.allow) return false
  const seen = await isVisible({ type: 'Patient', id }, newest, { ...call, principal, access }, parts, 'read')
  return seen && newest?.deleted === false
}

const readAsked = ({ body }: InteractionRequest, patient: string, parts: Parts): Outcome<BreakGlass> => {
  const json = readJson(body, parts)
  if (!json.ok) return json
  const { resourceType, parameter } = (typeof json.value === 'object' && json.value !== null ? json.value : {}) as Record<string, unknown>
  if (resourceType !== 'Parameters') return fail('wrong-resource-type', { expected: 'Parameters' })
  const given: readonly unknown[] = Array.isArray(parameter) ? parameter : []
  const found = new Map<string, Record<string, unknown>>()
  for (const one of given) {
    const { name } = (one ?? {}) as { readonly name?: unknown }
    if (name !== 'reason' && name !== 'text' && name !== 'minutes')
      return fail('unknown-parameter', { parameter: textOf(name), where: `$${operation}` })
    if (found.has(name)) return fail('repeated-parameter', { parameter: name })
    found.set(name, one as Record<string, unknown>)
  }
  const reason = found.get('reason')?.valueCode
  if (typeof reason !== 'string') return bad('reason', rule('one-of', { words: emergencyReasons.join(', ') }))
  const words = found.get('text')?.valueString
  if (typeof words !== 'string') return bad('text', rule('member-needed'))
  const minutes = found.get('minutes')
  if (minutes !== undefined && typeof minutes.valueInteger !== 'number') return bad('minutes', rule('member-needed'))
  return ok({ patient, reason, words, ...(typeof minutes?.valueInteger === 'number' && { minutes: minutes.valueInteger }) })
}

const bad = (parameter: string, broken: ReturnType<typeof rule>): Outcome<never> => fail('bad-parameter', { parameter, rule: broken })

/** A name that can be one is told; anything else might be a value. */
const textOf = (name: unknown): string => (typeof name === 'string' && /^[A-Za-z][A-Za-z-]{0,31}$/.test(name) ? name : '?')
