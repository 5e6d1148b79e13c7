import type { GrantContext } from '../grants/grant-context.ts'

/** The launch context as a token response has it: at the exchange of the code, at each refresh, and in introspection. @see auth.md 7.4 */
export const launchParameters = ({ patient, encounter, launch }: GrantContext): Record<string, unknown> => ({
  ...(patient !== undefined && { patient }),
  ...(encounter !== undefined && { encounter }),
  ...launch,
})
