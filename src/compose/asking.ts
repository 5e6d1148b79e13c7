import type { Principal } from '../auth/policy/principal.ts'
import { deadlineIn } from '../base/deadline.ts'
import type { Ids } from '../base/ids.ts'
import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { InteractionRequest, Perform } from '../interactions/request.ts'

/** How pages and the authorization server ask for what somebody may see: by the one door, as that somebody. */
export type Asking = {
  /** Undefined for what is hidden, deleted or never was. */
  read(principal: Principal, type: string, id: string): Promise<Outcome<Resource | undefined>>
  /** Matches, without what else a Bundle may hold. */
  search(principal: Principal, type: string, parameters: Readonly<Record<string, string>>): Promise<Outcome<readonly Resource[]>>
}

export type AskingParts = { readonly perform: Perform; readonly ids: Ids; readonly limits: Limits }

export const createAsking = ({ perform, ids, limits }: AskingParts): Asking => {
  const ask = async (principal: Principal, request: Pick<InteractionRequest, 'interaction' | 'type' | 'id' | 'parameters'>) => {
    const deadline = deadlineIn(limits.readMs)
    const done = await perform({ ...request, prefer: { handling: 'strict' } }, { principal, requestId: ids(), deadline, via: 'internal' })
    if (!done.ok) return done
    const { body } = done.value
    if (body?.kind !== 'json') return fail('exception', {})
    // Answers of our own interactions are resources.
    return ok(JSON.parse(Buffer.concat(body.chunks).toString('utf8')) as Resource)
  }
  return {
    read: async (principal, type, id) => {
      const done = await ask(principal, { interaction: 'read', type, id, parameters: [] })
      return done.ok || !unseen.has(done.failure.kind) ? done : ok(undefined)
    },
    search: async (principal, type, parameters) => {
      const list = Object.entries(parameters).map(([name, value]) => ({ name, value }))
      const done = await ask(principal, { interaction: 'search-type', type, parameters: list })
      if (!done.ok) return unseen.has(done.failure.kind) ? ok([]) : done
      return ok(matchesOf(done.value))
    },
  }
}

/** Ways in which something is not there for somebody. */
const unseen: ReadonlySet<string> = new Set(['unknown-instance', 'deleted-instance', 'forbidden', 'insufficient-scope'])

const matchesOf = ({ entry }: Resource): readonly Resource[] =>
  (Array.isArray(entry) ? entry : []).flatMap(({ search, resource }: Entry) =>
    resource !== undefined && search?.mode === 'match' ? [resource] : [],
  )

type Entry = { readonly search?: { readonly mode?: string }; readonly resource?: Resource }
