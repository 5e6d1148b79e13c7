/**
 * A plain reading of R4's search rules over the resource itself, for property tests. It shares no code with src/search: no index, no tree,
 * numbers as whole millionths, dates by Date.UTC in UTC+7. It knows the parameters and forms that the tests generate, and no others.
 */
export type PlainResource = { readonly resourceType: string; readonly id: string; readonly [member: string]: unknown }

/** Whether the resource meets `name=value&name=value`, decoded and without escapes. */
export const meetsPlainly = (resource: PlainResource, query: string): boolean =>
  query.split('&').every(pair => {
    const at = pair.indexOf('=')
    return meetsOne(resource, pair.slice(0, at), pair.slice(at + 1))
  })

const meetsOne = (resource: PlainResource, name: string, value: string): boolean => {
  const [code = '', modifier] = name.split(':')
  if (code === '_id') return value.split(',').includes(resource.id)
  const parameter = parameters[`${resource.resourceType}.${code}`]
  if (!parameter) throw new Error(`the oracle does not know ${name}`)
  const values = parameter.of(resource)
  if (modifier === 'missing') return (values.length === 0) === (value === 'true')
  const found = value.split(',').some(text => values.some(one => meets[parameter.kind](one, text, modifier)))
  return modifier === 'not' ? !found : found
}

type Kind = 'string' | 'token' | 'date' | 'quantity' | 'reference' | 'codeAndQuantity'
type Any = Record<string, unknown>

const many = (resource: Any, ...path: string[]): unknown[] =>
  path.reduce<unknown[]>((items, step) => items.flatMap(item => (item as Any | undefined)?.[step] ?? []), [resource])

const parameters: Readonly<Record<string, { kind: Kind; of: (resource: PlainResource) => unknown[] }>> = {
  'Patient.name': { kind: 'string', of: r => many(r, 'name') },
  'Patient.family': { kind: 'string', of: r => many(r, 'name', 'family') },
  'Patient.given': { kind: 'string', of: r => many(r, 'name', 'given') },
  'Patient.identifier': { kind: 'token', of: r => many(r, 'identifier') },
  'Patient.gender': {
    kind: 'token',
    of: r => many(r, 'gender').map(value => ({ system: 'http://hl7.org/fhir/administrative-gender', value })),
  },
  'Patient.active': { kind: 'token', of: r => many(r, 'active').map(value => ({ value: String(value) })) },
  'Patient.birthdate': { kind: 'date', of: r => many(r, 'birthDate') },
  'Patient.organization': { kind: 'reference', of: r => many(r, 'managingOrganization', 'reference') },
  'Observation.code': { kind: 'token', of: r => many(r, 'code', 'coding') },
  'Observation.subject': { kind: 'reference', of: r => many(r, 'subject', 'reference') },
  'Observation.date': { kind: 'date', of: r => [...many(r, 'effectiveDateTime'), ...many(r, 'effectivePeriod')] },
  'Observation.value-quantity': { kind: 'quantity', of: r => many(r, 'valueQuantity') },
  'Observation.code-value-quantity': {
    kind: 'codeAndQuantity',
    of: r => many(r, 'valueQuantity').flatMap(quantity => many(r, 'code', 'coding').map(coding => ({ coding, quantity }))),
  },
}

// --- strings

const plain = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/[\u0300-\u036f']/g, '')
    .toLowerCase()
    .split(/[^a-z0-9]/)
    .filter(word => word !== '')
    .join(' ')

const textsOf = (value: unknown): string[] => {
  if (typeof value === 'string') return [value]
  const { family, given = [] } = value as { family?: string; given?: string[] }
  return [
    ...(family === undefined ? [] : [family]),
    ...given,
    ...(family !== undefined && given.length > 0 ? [`${given.join(' ')} ${family}`] : []),
  ]
}

const meetsString = (value: unknown, text: string, modifier: string | undefined): boolean =>
  textsOf(value).some(one => {
    if (modifier === 'exact') return one === text
    return modifier === 'contains' ? plain(one).includes(plain(text)) : plain(one).indexOf(plain(text)) === 0
  })

// --- tokens and references

const meetsToken = (value: unknown, text: string): boolean => {
  const { system, code, value: given } = value as { system?: string; code?: string; value?: string }
  const found = code ?? given
  const bar = text.indexOf('|')
  if (bar < 0) return found === text
  const [wantedSystem, wantedCode] = [text.slice(0, bar), text.slice(bar + 1)]
  if (wantedCode !== '' && found !== wantedCode) return false
  return wantedSystem === '' ? system === undefined : system === wantedSystem
}

const meetsReference = (value: unknown, text: string, modifier: string | undefined): boolean => {
  const wanted = modifier !== undefined && modifier !== 'not' && !text.includes('/') ? `${modifier}/${text}` : text
  return wanted.includes('/') ? value === wanted : String(value).endsWith(`/${wanted}`)
}

// --- dates

const hour = 3_600_000

/** [start, end) of YYYY, YYYY-MM or YYYY-MM-DD in UTC+7. */
const rangeOfDate = (text: string): [number, number] => {
  const [year = 0, month, day] = text.split('-').map(Number)
  const at = (y: number, m: number, d: number): number => Date.UTC(y, m, d) - 7 * hour
  if (month === undefined) return [at(year, 0, 1), at(year + 1, 0, 1)]
  if (day === undefined) return [at(year, month - 1, 1), at(year, month, 1)]
  return [at(year, month - 1, day), at(year, month - 1, day + 1)]
}

const rangeOfValue = (value: unknown): [number, number] => {
  if (typeof value === 'string') return rangeOfDate(value)
  const { start, end } = value as { start?: string; end?: string }
  return [start === undefined ? -Infinity : rangeOfDate(start)[0], end === undefined ? Infinity : rangeOfDate(end)[1]]
}

const split = (text: string): [string, string] => (/^[a-z]{2}/.test(text) ? [text.slice(0, 2), text.slice(2)] : ['eq', text])

const meetsDate = (value: unknown, text: string): boolean => {
  const [prefix, rest] = split(text)
  const [lo, hi] = rangeOfValue(value)
  const [from, to] = rangeOfDate(rest)
  const inside = from <= lo && hi <= to
  const reachesAfter = hi > to
  const reachesBefore = lo < from
  const table: Record<string, boolean> = {
    eq: inside,
    ne: !inside,
    gt: reachesAfter,
    lt: reachesBefore,
    ge: reachesAfter || lo >= from,
    le: reachesBefore || hi <= to,
    sa: lo >= to,
    eb: hi <= from,
  }
  return table[prefix] === true
}

// --- quantities, in millionths

const millionths = (text: string): bigint => {
  const [whole = '0', fraction = ''] = text.split('.')
  const size = BigInt(whole.replace('-', '')) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return text.startsWith('-') ? -size : size
}

const ucum = 'http://unitsofmeasure.org'
const milligrams: Readonly<Record<string, bigint>> = { mg: 1n, g: 1000n, kg: 1_000_000n }

type Quantity = { value: number; unit?: string; system?: string; code?: string; comparator?: string }

const meetsQuantity = (value: unknown, text: string): boolean => {
  const [number = '', system, code = ''] = text.split('|')
  const quantity = value as Quantity
  if (system === undefined) return meetsNumber(quantity, number, 1n, 1n)
  const mass = quantity.system === ucum ? milligrams[quantity.code ?? ''] : undefined
  const wanted = milligrams[code]
  const sameMass = mass !== undefined && wanted !== undefined && meetsNumber(quantity, number, mass, wanted)
  if (system === ucum) return sameMass
  return sameMass || (system === '' && (quantity.unit === code || quantity.code === code) && meetsNumber(quantity, number, 1n, 1n))
}

/** Compares `quantity × a` with `number × b`. */
const meetsNumber = ({ value, comparator }: Quantity, text: string, a: bigint, b: bigint): boolean => {
  const [prefix, digits] = split(text)
  const own = millionths(String(value)) * a
  const decimals = digits.split('.')[1]?.length ?? 0
  const wanted = millionths(digits) * b
  const half = (1_000_000n / 10n ** BigInt(decimals) / 2n) * b
  const [open, below] = [comparator !== undefined, comparator?.startsWith('<') === true]
  const inside = !open && own >= wanted - half && own < wanted + half
  const reachesAbove = open && !below ? true : own > wanted
  const reachesBelow = open && below ? true : own < wanted
  const table: Record<string, boolean> = {
    eq: inside,
    ne: !inside,
    gt: reachesAbove,
    lt: reachesBelow,
    ge: reachesAbove || (own >= wanted && !(open && below)),
    le: reachesBelow || (own <= wanted && !(open && !below)),
    sa: open ? !below && own >= wanted : own > wanted,
    eb: open ? below && own <= wanted : own < wanted,
  }
  return table[prefix] === true
}

const meetsBoth = (value: unknown, text: string): boolean => {
  const { coding, quantity } = value as { coding: unknown; quantity: unknown }
  const at = text.indexOf('$')
  return meetsToken(coding, text.slice(0, at)) && meetsQuantity(quantity, text.slice(at + 1))
}

const meets: Readonly<Record<Kind, (value: unknown, text: string, modifier: string | undefined) => boolean>> = {
  string: meetsString,
  token: meetsToken,
  date: meetsDate,
  quantity: meetsQuantity,
  reference: meetsReference,
  codeAndQuantity: meetsBoth,
}
