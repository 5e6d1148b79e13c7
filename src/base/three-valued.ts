/** Logic with a third value, undefined: not known here. What is not known decides nothing unless the rest does not either. */

export const negate = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value)

export const every = <T>(parts: readonly T[], of: (part: T) => boolean | undefined): boolean | undefined => {
  let result: boolean | undefined = true
  for (const part of parts) {
    const value = of(part)
    if (value === false) return false
    if (value === undefined) result = undefined
  }
  return result
}

export const some = <T>(parts: readonly T[], of: (part: T) => boolean | undefined): boolean | undefined => {
  let result: boolean | undefined = false
  for (const part of parts) {
    const value = of(part)
    if (value === true) return true
    if (value === undefined) result = undefined
  }
  return result
}
