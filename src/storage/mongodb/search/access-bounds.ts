/** From where on candidates are asked, instead of looking up beforehand whom the answer is about. */
export type AccessBounds = {
  /** Patients in a relation. */
  readonly patients: number
  /** Instances written since a snapshot. */
  readonly changed: number
}

export const accessBounds: AccessBounds = { patients: 1_000, changed: 500 }
