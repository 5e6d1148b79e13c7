import type { Principal, RateClass } from '../auth/policy/principal.ts'
import type { Shared } from '../nodes/shared.ts'
import { countedBy, meterOf } from './meter.ts'
import { type Counted, halfOf, isRead, throttled } from './rate-limit.ts'

/** How often one token may ask, by the class that its application was registered with. Undefined for who has no token. @see auth.md 16 */
export type TokenLimits = (principal: Principal, method: string, path: string) => Counted | undefined | Promise<Counted>

/** Requests a minute that read or search; half as many may write. */
export const readsPerMinute = { interactive: 1200, backend: 6000, 'patient-app': 300 } as const satisfies Record<RateClass, number>

const classes = Object.keys(readsPerMinute) as readonly RateClass[]
const windowSeconds = 60

/** Names of the limits, as answers and metrics have them. */
export const tokenLimitNames: readonly string[] = classes.flatMap(name => [`${name}-read`, `${name}-write`])

export type TokenLimitParts = {
  readonly shared: Pick<Shared, 'counter'>
  /** How many times the usual may be asked. */
  readonly times?: number
  /** Hears of each refusal. */
  readonly limited: (limit: string) => void
}

export const createTokenLimits = ({ shared, times = 1, limited }: TokenLimitParts): TokenLimits => {
  const metersOf = (name: RateClass) => {
    const most = readsPerMinute[name] * times
    return {
      read: meterOf(shared, { name: `${name}-read`, most, windowSeconds }),
      write: meterOf(shared, { name: `${name}-write`, most: halfOf(most), windowSeconds }),
    }
  }
  const meters = { interactive: metersOf('interactive'), backend: metersOf('backend'), 'patient-app': metersOf('patient-app') }
  return ({ kind, rateClass = 'interactive', tokenRef }, method, path) => {
    if (kind === 'internal') return undefined
    const counted = countedBy(meters[rateClass][isRead(method, path) ? 'read' : 'write'], tokenRef)
    return 'then' in counted ? counted.then(one => throttled(one, limited)) : throttled(counted, limited)
  }
}
