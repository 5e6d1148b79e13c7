import { fail, statusOf } from '../base/outcome.ts'
import type { Interaction, Parts } from './parts.ts'
import type { InteractionCode, Perform } from './request.ts'

/**
 * The one door. HTTP requests, batch entries, messages and jobs all come through here, so that nothing escapes access control and audit:
 * *decide access, run, audit*.
 */
export const createPerform =
  (interactions: Readonly<Record<InteractionCode, Interaction>>, parts: Parts): Perform =>
  async (request, context) => {
    const started = performance.now()
    const access = parts.decide(context.principal, request.interaction, request.type)
    const outcome = access.allow ? await interactions[request.interaction](request, { ...context, access }, parts) : fail(access.kind, {})
    const status = outcome.ok ? outcome.value.status : statusOf(outcome.failure)
    parts.audit({
      requestId: context.requestId,
      via: context.via,
      principal: context.principal.kind,
      interaction: request.interaction,
      ...(request.type === undefined ? {} : { type: request.type }),
      ...(request.id === undefined ? {} : { id: request.id }),
      status,
      outcome: !access.allow ? 'denied' : outcome.ok ? 'success' : 'failed',
      ms: performance.now() - started,
      touched: (outcome.ok && outcome.value.touched) || [],
    })
    return outcome
  }
