import { readFileSync } from 'node:fs'
import { readLabelRules } from '../auth/labels/label-rules.ts'
import { createLabelling, type Labelling } from '../auth/labels/written-labels.ts'

/** The rules of labels, also where sign-in is off: what is written then is there when it is on. Throws what is wrong with them. */
export const loadLabelling = (): Labelling => {
  const shipped: unknown = JSON.parse(readFileSync(new URL('../auth/labels/labels.json', import.meta.url), 'utf8'))
  const read = readLabelRules(shipped)
  if (!read.ok) throw new Error(`The rules of labels cannot be used: ${read.problems.join('; ')}`)
  return createLabelling(read.rules)
}
