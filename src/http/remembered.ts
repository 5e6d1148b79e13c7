const entriesMax = 256
const charactersMax = 512

/**
 * `read`, remembered by its text: clients send the same headers again and again. Holds at most 256 short texts, then begins anew, so that
 * nobody can fill the memory with inventive headers.
 */
export const remembered = <T>(read: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>()
  return text => {
    const before = known.get(text)
    if (before !== undefined) return before
    const value = read(text)
    if (text.length <= charactersMax) {
      if (known.size >= entriesMax) known.clear()
      known.set(text, value)
    }
    return value
  }
}
