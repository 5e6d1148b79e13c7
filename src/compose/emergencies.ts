import { type BreakGlassParts, breakGlass } from '../auth/emergencies/break-glass.ts'
import { emergenciesOfPatient, openEmergencies } from '../auth/emergencies/emergencies.ts'
import type { EmergencyAccess } from '../auth/pages/parts.ts'
import type { Principal } from '../auth/policy/principal.ts'
import type { LiveSession } from '../auth/sessions/sessions.ts'
import { ok } from '../base/outcome.ts'

/** Emergency access from our own pages. @see auth.md 12.5 */
export const createEmergencyAccess = (parts: BreakGlassParts, principalOf: (live: LiveSession) => Promise<Principal>): EmergencyAccess => ({
  active: async ({ account, session }) =>
    (await openEmergencies(parts.ground, { account: account.key, session: session.key })).map(({ patient, until }) => ({ patient, until })),
  told: async ({ account }) => {
    const [, patient] = /^Patient\/(.+)$/.exec(account.value.fhirUser ?? '') ?? []
    const all = patient === undefined ? [] : await emergenciesOfPatient(parts.ground, patient)
    return all.filter(({ notice }) => notice.state === 'told').map(({ openedAt, reason }) => ({ openedAt, reason }))
  },
  begin: async (live, patient, { reason, text, client }, origin) => {
    const user = await principalOf(live)
    // Opened for an application, it is the user's all the same whether there is somebody to see: no scope is in hand yet.
    const wouldSee = ({ emergencies }: Principal, of: string): Promise<boolean> => parts.wouldSee({ ...user, emergencies }, of)
    const opener = client === undefined ? user : { ...user, clientId: client }
    const done = await breakGlass({ ...parts, wouldSee }, opener, { patient, reason, words: text }, origin)
    if (done.ok) return ok(true)
    return done.failure.kind === 'unknown-instance' || done.failure.kind === 'permission-needed' ? ok(false) : done
  },
})
