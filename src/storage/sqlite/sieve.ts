/**
 * A sieve stands beside entries that lead to a version and says which tokens it may have, so that most versions without a token are passed over without a
 * seek for it: 48 bits, of which each token sets three, one in each third. It lets some versions through that lack the token (1 in 100 where they have
 * three, 1 in 10 where they have ten), and never holds one back that has it.
 */
const lowSize = 2 ** 32

/** Gathers the tokens of one version after the other. */
export class Sieve {
  #low = 0
  #high = 0

  start(): void {
    this.#low = 0
    this.#high = 0
  }

  add(p: number, code: string): void {
    let h = Math.imul(p, 0x9e3779b1)
    for (let at = 0; at < code.length; at++) {
      const unit = code.charCodeAt(at)
      if (!isReplaced(unit)) h = Math.imul(h ^ unit, 0x01000193)
    }
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
    h ^= h >>> 16
    this.#low |= (1 << (h & 15)) | (1 << (16 + ((h >>> 8) & 15)))
    this.#high |= 1 << ((h >>> 16) & 15)
  }

  get bits(): number {
    return this.#high * lowSize + (this.#low >>> 0)
  }
}

/** Half a pair comes back from the file as U+FFFD: neither counts. */
const isReplaced = (unit: number): boolean => (unit >= 0xd800 && unit <= 0xdfff) || unit === 0xfffd

/** What every version that has the token lets through. It is kept in the store: another way to reckon it would be a migration. */
export const sieveOf = (p: number, code: string): number => {
  const sieve = new Sieve()
  sieve.add(p, code)
  return sieve.bits
}
