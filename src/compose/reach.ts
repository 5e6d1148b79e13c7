import type { ConsentParts } from '../auth/consent/consents.ts'
import type { RoleReachParts } from '../auth/relations/role-reach.ts'
import type { KnownStates } from './known-states.ts'

export const consentsFrom = (states: KnownStates): Pick<ConsentParts, 'activeConsents' | 'newest'> => ({
  newest: states.newest,
  activeConsents: async patient => {
    const { found, more } = await states.matching('Consent', { patient: [`Patient/${patient}`], status: ['active'] }, consentsMax)
    return { consents: found, more }
  },
})

export const reachFrom = (states: KnownStates): Omit<RoleReachParts, 'clock'> => ({
  newest: states.newest,
  all: states.all,
  referring: (type, param, targets, limit) => states.matching(type, { [param]: targets }, limit),
})

/** Of one patient; with more nothing of that patient is open. */
const consentsMax = 200
