import type { AuditRecord } from '../audit/record.ts'
import { askerOf } from '../auth/policy/principal.ts'
import { fail, statusOf } from '../base/outcome.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import type { Interaction, Parts } from './parts.ts'
import type { InteractionCode, Perform } from './request.ts'

/** When to ask again a store that nobody reaches. */
const awaySeconds = 5

/**
 * The one door. HTTP requests, batch entries, messages and jobs all come through here, so that nothing escapes access control and audit:
 * *decide access, run, audit*.
 */
export const createPerform =
  (interactions: Readonly<Record<InteractionCode, Interaction>>, parts: Parts): Perform =>
  async (request, context) => {
    const started = performance.now()
    const access = parts.decide(context.principal, request.interaction, request.type)
    const record = (status: number, outcome: AuditRecord['outcome'], touched: AuditRecord['touched'] = []): void =>
      parts.audit({
        requestId: context.requestId,
        via: context.via,
        ...askerOf(context.principal),
        interaction: request.interaction,
        ...(request.type === undefined ? {} : { type: request.type }),
        ...(request.id === undefined ? {} : { id: request.id }),
        status,
        outcome,
        ms: performance.now() - started,
        touched,
      })
    if (!access.allow) {
      record(statusOf(access.failure), 'denied')
      return { ok: false, failure: access.failure }
    }
    try {
      const outcome = await interactions[request.interaction](request, { ...context, access }, parts)
      if (outcome.ok) record(outcome.value.status, 'success', outcome.value.touched)
      else record(statusOf(outcome.failure), 'failed')
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
