/** Where a verb writes: results to stdout, progress and trouble to stderr. Given by main, so that tests read what people see. */
export type Terminal = {
  out(line: string): void
  err(line: string): void
  /** Rewrites the current line of stderr; absent when nobody watches. */
  status?(line: string): void
  readonly json: boolean
}

/** One object a line with `--json`, else what `line` says. */
export const report = (terminal: Terminal, record: Readonly<Record<string, unknown>>, line: string): void =>
  terminal.out(terminal.json ? JSON.stringify(record) : line)
