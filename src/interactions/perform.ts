import type { AuditRecord } from '../audit/record.ts'
import type { Access } from '../auth/access.ts'
import { askerOf } from '../auth/policy/principal.ts'
import type { FailureKind } from '../base/failure-kinds.ts'
import { fail, statusOf } from '../base/outcome.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import type { Interaction, Parts } from './parts.ts'
import type { Answer, Context, InteractionCode, InteractionRequest, Perform } from './request.ts'

/** When to ask again a store that nobody reaches. */
const awaySeconds = 5

/** What somebody was not allowed, found out inside. */
const refusals: ReadonlySet<FailureKind> = new Set(['forbidden', 'insufficient-scope', 'step-up-needed'])

const breaksGlass = ({ interaction, type }: InteractionRequest, { principal }: Context, access: Access): boolean =>
  access.allow &&
  principal.kind === 'user' &&
  principal.emergencies.length > 0 &&
  type !== undefined &&
  access.ruling(interaction, type)?.obligations.some(({ kind }) => kind === 'break-glass') === true

type Draft = { -readonly [name in keyof AuditRecord]: AuditRecord[name] }

/**
 * The one door. HTTP requests, batch entries, messages and jobs all come through here, so that nothing escapes access control and audit:
 * *decide access, run, audit*.
 */
export const createPerform =
  (interactions: Readonly<Record<InteractionCode, Interaction>>, parts: Parts): Perform =>
  async (request, context) => {
    const started = performance.now()
    const access = parts.decide(context.principal, request.interaction, request.type)
    const record = (
      status: number,
      outcome: AuditRecord['outcome'],
      { touched = [], marks = [] }: Pick<Answer, 'touched' | 'marks'> = {},
    ): void => {
      const { type, id } = request
      // Every request comes by here: members are added one by one, since spreading costs more than all else.
      const about: Draft = {
        ...askerOf(context.principal),
        requestId: context.requestId,
        via: context.via,
        interaction: request.interaction,
        rule: access.rule,
        status,
        outcome,
        ms: performance.now() - started,
        touched,
      }
      if (type !== undefined) about.type = type
      if (id !== undefined) about.id = id
      if (breaksGlass(request, context, access)) about.marks = ['break-glass', ...marks]
      else if (marks.length > 0) about.marks = marks
      parts.audit(about)
    }
    if (!access.allow) {
      record(statusOf(access.failure), 'denied')
      return { ok: false, failure: access.failure }
    }
    try {
      const outcome = await interactions[request.interaction](request, { ...context, access }, parts)
      if (outcome.ok) record(outcome.value.status, 'success', outcome.value)
      else record(statusOf(outcome.failure), refusals.has(outcome.failure.kind) ? 'denied' : 'failed')
      return outcome
    } catch (error) {
      if (error instanceof StoreUnusable) {
        const away = fail('no-store', {}, { retryAfterSeconds: awaySeconds })
        record(statusOf(away.failure), 'failed')
        return away
      }
      // A bug, or a broken store: it may have shown or changed something before it broke.
      record(500, 'failed')
      throw error
    }
  }
