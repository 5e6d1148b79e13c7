/**
 * The last net before a line is written: only known fields, and in their texts nothing that looks like a person or a secret. The types of
 * `events.ts` are the first net, so anything found here is a defect and is counted.
 */

export type LogRecord = Readonly<Record<string, unknown>>

const known: ReadonlySet<string> = new Set(
  `time level event request correlation trace span version room interaction resourceType id method status ms bytes failure outcome via
  principal client account token door error name code frames cause count port pid worker why signal`.split(/\s+/),
)

/** Each pattern is linear: no repetition inside a repetition. */
const patterns: readonly { readonly rule: string; readonly pattern: RegExp }[] = [
  { rule: 'jwt', pattern: /\beyJ[\w-]{5,}\.[\w-]+(?:\.[\w-]*)?/g },
  { rule: 'bearer', pattern: /\bbearer\s+\S+/gi },
  { rule: 'email', pattern: /[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{1,64}/g },
  { rule: 'patient', pattern: /\bPatient\/[A-Za-z0-9.-]{1,64}/g },
  { rule: 'query', pattern: /\?[\w.:-]{1,64}=\S*/g },
  { rule: 'phone', pattern: /(?<![\w+])(?:\+?62|0)8\d{7,11}(?!\d)/g },
  { rule: 'sep', pattern: /\b\d{4}[A-Z]\d{7}[A-Z]\d{6}\b/gi },
  { rule: 'nik', pattern: /(?<!\d)\d{16}(?!\d)/g },
  { rule: 'bpjs', pattern: /(?<!\d)\d{13}(?!\d)/g },
  { rule: 'base64', pattern: /[A-Za-z0-9+/]{65,}={0,2}/g },
]

/** Short words of letters are codes: no pattern above can find anything in them. */
const code = /^[A-Za-z_-]{0,64}$/
const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/
const depthMax = 4

/** `found` hears the rule of everything that was taken out. */
export const redact = (record: LogRecord, found: (rule: string) => void, depth = 0): LogRecord => {
  const clean: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(record)) {
    if (!known.has(key)) found('unknown-field')
    else clean[key] = redactValue(value, found, depth)
  }
  return clean
}

const redactValue = (value: unknown, found: (rule: string) => void, depth: number): unknown => {
  if (typeof value === 'string') return redactText(value, found)
  if (Array.isArray(value)) return depth >= depthMax ? undefined : value.map(item => redactValue(item, found, depth + 1))
  if (typeof value === 'object' && value !== null) return depth >= depthMax ? undefined : redact(value as LogRecord, found, depth + 1)
  return value
}

export const redactText = (text: string, found: (rule: string) => void): string => {
  if (code.test(text) || uuid.test(text)) return text
  let clean = text
  for (const { rule, pattern } of patterns) {
    clean = clean.replace(pattern, () => {
      found(rule)
      return `[redacted:${rule}]`
    })
  }
  return clean
}
