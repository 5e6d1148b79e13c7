import type { Resource } from '../../fhir/model/resource.ts'

/** What roles and people are looked up by. */
export type RoleReachParts = {
  /** Current instances of a type whose reference parameter names one of these (`Organization/1`), at most `limit`; `more` when there are more. */
  readonly referring: (
    type: string,
    param: string,
    targets: readonly string[],
    limit: number,
  ) => Promise<{ readonly found: readonly Resource[]; readonly more: boolean }>
  /** Current instances of a type, at most `limit`. */
  readonly all: (type: string, limit: number) => Promise<readonly Resource[]>
  /** The current state of an instance. */
  readonly newest: (type: string, id: string) => Promise<Resource | undefined>
  readonly clock: () => number
}
