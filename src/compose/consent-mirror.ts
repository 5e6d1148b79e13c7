import type { Definitions } from '../fhir/definitions/definitions.ts'
import type { ClientRegistry } from '../auth/clients/registry.ts'
import { grantSystem } from '../auth/consent/grant-consent.ts'
import { type ConsentMirroring, createConsentMirror } from '../auth/grants/consent-mirror.ts'
import type { Ground } from '../auth/ground.ts'
import { ownSource } from '../auth/own-source.ts'
import type { RoleTable } from '../auth/roles/role-table.ts'
import { canonicalBase } from '../base/canonical.ts'
import { deadlineIn } from '../base/deadline.ts'
import type { Ids } from '../base/ids.ts'
import type { Limits } from '../base/limits.ts'
import { fail, type Outcome, ok } from '../base/outcome.ts'
import type { Resource } from '../fhir/model/resource.ts'
import type { Answer, InteractionRequest, Perform } from '../interactions/request.ts'
import type { Asking } from './asking.ts'

export type ComposedMirrorParts = {
  readonly ground: Ground
  readonly clients: Pick<ClientRegistry, 'find'>
  readonly definitions: Definitions
  readonly roles: RoleTable
  readonly perform: Perform
  readonly asking: Asking
  readonly ids: Ids
  readonly limits: Limits
}

/** Of the screen on which somebody agrees: it changes when the sentences there do. */
const wording = `${canonicalBase}/wording/consent/1`

/** Consents of grants are written by the one door, as the server's own source. @see auth.md 12.3 */
export const mirrorConsents = ({ perform, asking, ids, limits, roles, ...parts }: ComposedMirrorParts): ConsentMirroring => {
  const principal = ownSource(roles, 'consent-mirror')
  const ask = (request: Pick<InteractionRequest, 'interaction' | 'id' | 'conditions' | 'body'>): Promise<Outcome<Answer>> =>
    perform(
      { type: 'Consent', parameters: [], prefer: { handling: 'strict', return: 'minimal' }, ...request },
      { principal, requestId: ids(), deadline: deadlineIn(limits.readMs), via: 'internal' },
    )
  const read = (id: string): Promise<Outcome<Resource | undefined>> => asking.read(principal, 'Consent', id)
  return createConsentMirror({
    ...parts,
    wording,
    read,
    show: async (consent, grant) => {
      const ifNoneExist = new URLSearchParams({ identifier: `${grantSystem}|${grant}` }).toString()
      // A Consent of ours is a resource.
      const body = { kind: 'parsed' as const, resource: consent as unknown as Resource }
      const done = await ask({ interaction: 'create', conditions: { ifNoneExist }, body })
      if (!done.ok) return done
      const id = done.value.touched?.[0]?.id
      return id === undefined ? fail('exception', {}) : ok(id)
    },
    end: async id => {
      const found = await read(id)
      if (!found.ok) return found
      if (found.value?.status !== 'active') return ok(undefined)
      const body = { kind: 'parsed' as const, resource: { ...found.value, status: 'inactive' } }
      const done = await ask({ interaction: 'update', id, conditions: { ifMatch: `W/"${found.value.meta?.versionId}"` }, body })
      return done.ok ? ok(undefined) : done
    },
  })
}
