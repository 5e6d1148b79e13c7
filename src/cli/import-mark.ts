/** Lines end out of order; `settled` is the last line with nothing open before it. */
export class Mark {
  settled: number
  private readonly open = new Set<number>()
  private readonly ended = new Set<number>()

  constructor(settled: number) {
    this.settled = settled
  }

  begin(line: number): void {
    this.open.add(line)
  }

  end(line: number): void {
    this.open.delete(line)
    this.ended.add(line)
    for (const next of [...this.ended].sort((a, b) => a - b)) {
      if (this.open.size > 0 && Math.min(...this.open) < next) return
      this.settled = next
      this.ended.delete(next)
    }
  }
}
