/** What is wrong with a document, all of it, in the order found. */
export class Problems {
  readonly found: string[] = []
  add(problem: string): void {
    this.found.push(problem)
  }
}

export const isRecord = (json: unknown): json is Readonly<Record<string, unknown>> =>
  typeof json === 'object' && json !== null && !Array.isArray(json)

export const isTexts = (json: unknown): json is readonly string[] => Array.isArray(json) && json.every(text => typeof text === 'string')

/** The object, or an empty one and a problem. */
export const recordOf = (json: unknown, at: string, problems: Problems): Readonly<Record<string, unknown>> => {
  if (isRecord(json)) return json
  problems.add(`${at} is not an object`)
  return {}
}

/** Members that nobody reads are mistakes: a rule that was meant and is not kept. */
export const refuseOthers = (json: Readonly<Record<string, unknown>>, known: readonly string[], at: string, problems: Problems): void => {
  for (const name of Object.keys(json)) if (!known.includes(name)) problems.add(`${at}.${name} is not known`)
}
