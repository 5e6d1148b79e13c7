/**
 * The candidate a mistyped word was most likely meant to be: equal but for upper and lower case, else nearest by edits (insertion, deletion,
 * change, swap of neighbours), at most two and fewer than half of the word. Undefined when nothing is near, or when the word is a candidate
 * itself: then it was not mistyped but stands where it does not belong.
 */
export const suggest = (word: string, candidates: Iterable<string>): string | undefined => {
  if (word.length === 0 || word.length > wordCharactersMax) return undefined
  const folded = word.toLowerCase()
  let nearest: string | undefined
  let least = Math.min(editsMax, Math.ceil(word.length / 2) - 1) + 1
  for (const candidate of candidates) {
    if (candidate === word) return undefined
    if (candidate.toLowerCase() === folded) return candidate
    if (Math.abs(candidate.length - word.length) >= least) continue
    const edits = editsBetween(folded, candidate.toLowerCase())
    if (edits < least) [nearest, least] = [candidate, edits]
  }
  return nearest
}

const wordCharactersMax = 64
const editsMax = 2

/** Optimal string alignment distance. */
const editsBetween = (a: string, b: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (beforeLast[j - 2] as number) + 1 : changed
      row.push(Math.min((last[j] as number) + 1, (row[j - 1] as number) + 1, changed, swapped))
    }
    beforeLast = last
    last = row
  }
  return last[b.length] as number
}
