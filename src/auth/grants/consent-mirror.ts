import type { Consent } from '@medplum/fhirtypes'
import { type Outcome, ok } from '../../base/outcome.ts'
import type { Definitions } from '../../fhir/definitions/definitions.ts'
import type { Resource } from '../../fhir/model/resource.ts'
import type { RecordPosition } from '../../storage/port.ts'
import type { ClientRegistry } from '../clients/registry.ts'
import { consentOfGrant, stillConsents } from '../consent/grant-consent.ts'
import type { Fact } from '../facts.ts'
import type { Ground } from '../ground.ts'
import { heldGrant } from '../principal/token.ts'
import { parseScopes } from '../scopes/scope.ts'
import { type ConsentMirror, type GrantContext, grantRecords, type KeptGrant } from './grant-context.ts'
import { endGrant, grantById, grantStands } from './grants.ts'

/**
 * Keeps what a patient gave to applications and the Consents that show it in step. The grant is what counts for tokens: it works from the moment that somebody
 * agreed, and is over from the moment that it ends. Its Consent follows, by a row that says what is left to do: what cannot be written now is tried again, ever
 * less often, and neither holds up the application nor is forgotten. A Consent that is no longer active ends the grant. @see auth.md 12.3
 */
export type ConsentMirrorParts = {
  readonly ground: Ground
  readonly clients: Pick<ClientRegistry, 'find'>
  readonly definitions: Definitions
  /** Where the wording of the screen stands. */
  readonly wording: string
  /** Writes the Consent of this grant, once however often it is asked, and answers its id. */
  show(consent: Consent, grant: string): Promise<Outcome<string>>
  /** Makes it inactive; one that is so already, or is gone, stays as it is. */
  end(consent: string): Promise<Outcome<undefined>>
  /** Undefined for one that is gone. */
  read(consent: string): Promise<Outcome<Resource | undefined>>
}

export type ConsentMirroring = {
  /** Does what is due; run it often. Fails with the first thing that failed, after all others were tried. */
  due(): Promise<Outcome<undefined>>
  /** Looks at every Consent that is in force, and at its grant: for what nobody told. Run it now and then. */
  sweep(): Promise<Outcome<undefined>>
  /** These Consents were written: what they no longer allow ends now. */
  consentsWritten(ids: readonly string[]): Promise<Outcome<undefined>>
}

/** Facts after which there is something to mirror. */
export const isGrantNews = ({ what }: Fact): boolean => what === 'grant-given' || what === 'grant-ended' || what === 'grant-reused'

const pageRows = 100
const firstWaitMs = 30_000
const longestWaitMs = 6 * 3_600_000

export const createConsentMirror = (parts: ConsentMirrorParts): ConsentMirroring => {
  const { ground } = parts
  const records = ground.store.records<GrantContext>(grantRecords)

  /** All rows of a state up to now, each once. */
  async function* rowsIn(state: ConsentMirror['state'], to: number): AsyncGenerator<KeptGrant> {
    let after: RecordPosition | undefined
    do {
      const page = await records.range('mirror', {
        from: [state],
        to: [state, to],
        limit: pageRows,
        ...(after === undefined ? {} : { after }),
      })
      yield* page.rows
      after = page.more ? page.rows.at(-1)?.position : undefined
    } while (after !== undefined)
  }

  const each = async (rows: AsyncIterable<KeptGrant>): Promise<Outcome<undefined>> => {
    let first: Outcome<undefined> = ok(undefined)
    for await (const kept of rows) {
      const done = await inStep(parts, kept)
      if (!done.ok && first.ok) first = done
    }
    return first
  }

  return {
    due: async () => {
      const now = ground.clock()
      const begun = await each(rowsIn('due', now))
      const ended = await each(rowsIn('ending', now))
      return begun.ok ? ended : begun
    },
    sweep: () => each(rowsIn('shown', Number.MAX_SAFE_INTEGER)),
    consentsWritten: async ids => {
      for (const id of ids) {
        const [kept] = (await records.range('consent', { from: [id], to: [id], limit: 1 })).rows
        const done = kept?.value.mirror?.state === 'shown' ? await inStep(parts, kept) : ok(undefined)
        if (!done.ok) return done
      }
      return ok(undefined)
    },
  }
}

/** Does what is left to do for one grant, and notes it: what failed is put off. */
const inStep = async (parts: ConsentMirrorParts, { key, value }: KeptGrant): Promise<Outcome<undefined>> => {
  const { mirror } = value
  if (mirror === undefined || mirror.state === 'over') return ok(undefined)
  const done = await nextOf(parts, key, value, mirror)
  const now = parts.ground.clock()
  if (done.ok) return noted(parts.ground, key, mirror, { next: now, tries: 0, ...done.value })
  const next = now + Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(mirror.tries, 20))
  const put =
    mirror.state === 'shown' ? ok(undefined) : await noted(parts.ground, key, mirror, { ...mirror, next, tries: mirror.tries + 1 })
  return put.ok ? done : put
}

type Next = Pick<ConsentMirror, 'state' | 'consent'>

const nextOf = async (
  parts: ConsentMirrorParts,
  id: string,
  grant: GrantContext,
  { state, consent }: ConsentMirror,
): Promise<Outcome<Next>> => {
  const live = await heldGrant(parts.ground, id)
  const stands = live !== undefined && grantStands(live.grant, parts.ground.clock())
  if (consent === undefined) return stands && state === 'due' ? shown(parts, grant) : ok({ state: 'over' })
  if (!stands) {
    const ended = await parts.end(consent)
    return ended.ok ? ok({ state: 'over', consent }) : ended
  }
  const read = await parts.read(consent)
  if (!read.ok) return read
  if (stillConsents(read.value, id)) return ok({ state: 'shown', consent })
  const ended = await endGrant(parts.ground, id, { by: 'consent', reason: 'consent' }, { address: '' })
  return ended.ok ? ok({ state: 'over', consent }) : ended
}

const shown = async ({ clients, definitions, wording, show }: ConsentMirrorParts, grant: GrantContext): Promise<Outcome<Next>> => {
  const { id, patient, fhirUser, withoutProtected } = grant
  const client = await clients.find(grant.client)
  if (patient === undefined || fhirUser === undefined) return ok({ state: 'over' })
  const { scopes } = parseScopes(grant.scopes, { definitions, granularParams: new Set(client?.granularParams ?? []) })
  const sensitive = withoutProtected !== true
  const consent = consentOfGrant({
    grant: { ...grant, patient, fhirUser },
    scopes,
    client: client?.name ?? grant.client,
    wording,
    sensitive,
  })
  if (consent === undefined) return ok({ state: 'over' })
  const written = await show(consent, id)
  return written.ok ? ok({ state: 'shown', consent: written.value }) : written
}

/** Over whatever else became of the row, as long as nobody moved the mirror on. */
const noted = async (ground: Ground, key: string, before: ConsentMirror, after: ConsentMirror): Promise<Outcome<undefined>> => {
  for (let round = 0; round < roundsMax; round++) {
    const kept = await grantById(ground, key)
    const mirror = kept?.value.mirror
    if (kept === undefined || mirror === undefined) return ok(undefined)
    // It ended while its Consent was written: that is the next thing to do.
    const ended = kept.value.revoked !== undefined && after.state === 'shown' ? { ...after, state: 'ending' as const } : after
    if (mirror.state !== before.state && !(before.state === 'shown' && mirror.state === 'ending')) return ok(undefined)
    const done = await ground.store.records<GrantContext>(grantRecords).put({ ...kept.value, mirror: ended }, kept.revision)
    if (!done.ok) return done
    if (done.value.held) return ok(undefined)
  }
  return ok(undefined)
}

/** Others note uses in the same row. What is not noted is done again. */
const roundsMax = 5
