/**
 * The texts in `ix`, made here for those who write them and those who look for them. They are meant to be read in a shell:
 * `gender|7|female`, `subject>Patient/1`, `family~santoso`. Codes of parameters hold none of the marks between, so no two entries are confused.
 */

/** Lies below every character of a value: values never hold it. */
const end = '\u0000'
/** The last character there is. */
const beyond = '\u{10ffff}'

/** In `tk` of every instance that is not deleted. */
export const everything = '*'

/** `system` is the number of `simpul.systems`, 0 for none. */
export const tokenEntry = (param: string, system: number, code: string): string => `${param}|${system}|${code}`
/** Beside the entry above, for who asks without a system. */
export const codeEntry = (param: string, code: string): string => `${param}=${code}`
/** What the entries with a system begin with. */
export const tokensOf = (param: string): string => `${param}|`
export const referenceEntry = (param: string, type: string, id: string): string => `${param}>${type}/${id}`
/** What the entries of the parameter begin with. */
export const referencesOfParam = (param: string): string => `${param}>`
/** By whatever parameter: whether anything refers to an instance. */
export const anyReferenceEntry = (type: string, id: string): string => `>${type}/${id}`
export const shapeEntry = (shape: number): string => `shape#${shape}`
export const patientEntry = (id: string): string => `patient#${id}`
/** About no patient. */
export const nobodyEntry = 'nobody#'
/** Beside a token of the parameter `code`, once for each patient: who asks for a code of some patients looks at nothing else that is theirs. */
export const codeOfPatientEntry = (patient: string, system: number, code: string): string => `${codeParam}#${patient}|${system}|${code}`
export const codeParam = 'code'
/** Only of what is not normal. */
export const confidentialityEntry = (level: number): string => `conf#${level}`
export const sensitivityEntry = (code: string): string => `sens#${code}`
/** What the entries of sensitivities begin with. */
export const sensitivityEntries: string = sensitivityEntry('')
export const ownerEntry = (organization: string): string => `owner#${organization}`
export const authorEntry = (reference: string): string => `author#${reference}`

/** The exact form stands behind the normal form where they differ; '' where not. */
export const stringEntry = (param: string, value: string, exact: string): string =>
  exact === '' ? `${param}~${value}` : `${param}~${value}${end}${exact}`
/** A composite with a string beside its key; '' for none. */
export const compositeEntry = (param: string, key: string, text: string): string => `${param}$${key}${end}${text}`
/** `p` of a composite with a range; its key stands in `u`. */
export const compositeParam = (param: string): string => `${param}$`

/** In `simpul.relations`: by whom, then whose. */
export const relationKey = (from: string, of: string, patient: string): string => `${relationKeys(from, of)}${patientInRelation(patient)}`
/** What the keys about a patient end with. */
export const patientInRelation = (patient: string): string => withoutEnd(patient)
/** What the keys of whoever `of` is begin with. */
export const relationKeys = (from: string, of: string): string => `${relationWord(from, of)}${end}`
/** In `simpul.served`: that somebody stands in relation to whoever `of` is. */
export const relationWord = (from: string, of: string): string => `${from}#${withoutEnd(of)}`
export const partsOfRelationKey = (key: string): { readonly from: string; readonly of: string; readonly patient: string } => {
  const mark = key.indexOf('#')
  const [of = '', patient = ''] = key.slice(mark + 1).split(end)
  return { from: key.slice(0, mark), of: valueOfOrderedText(of, false) as string, patient: valueOfOrderedText(patient, false) as string } // texts
}
/** As `relationKeys` and `patientInRelation` made them. */
export const halvesOfRelationKey = (key: string): { readonly word: string; readonly patient: string } => {
  const behind = key.indexOf(end) + end.length
  return { word: key.slice(0, behind), patient: key.slice(behind) }
}

/** All texts that begin so: [from, before). */
export const beginningWith = (text: string): { readonly from: string; readonly before: string } => ({ from: text, before: after(text) })

/** The least text above all that begin so: the last character that has a next one becomes it. No text begins with nothing here. */
const after = (text: string): string => {
  const characters = Array.from(text)
  while (characters.at(-1) === beyond) characters.pop()
  const last = characters.pop()?.codePointAt(0) ?? 0
  return characters.join('') + String.fromCodePoint(last === lastBeforeSurrogates ? firstAfterSurrogates : last + 1)
}
const lastBeforeSurrogates = 0xd7ff
const firstAfterSurrogates = 0xe000

/** A regular expression (source) for a string entry of the parameter whose normal form holds the text. */
export const containing = (param: string, text: string): string => `^${escaped(param)}~[^\\x00]*${escaped(text)}`

/** The same for the entry of a code without system: it may hold anything. */
export const codeContaining = (param: string, text: string): string => `^${escaped(param)}=[\\s\\S]*${escaped(text)}`

/** Every mark that means something in a pattern, as its code: the same in PCRE and here. */
const escaped = (text: string): string =>
  text.replace(/[\0\\^$.*+?()[\]{}|/#-]/g, mark => `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`)

/** Names in `so` and `sd`: a dot or dollar would mean something else there. */
export const sortField = (param: string): string => param.replaceAll('.', '\uff0e').replaceAll('$', '\uff04')
/** The name in `so` of the least of several values; no code holds the mark. */
export const ofSeveral = (field: string): string => `${field}+`

const seqDigits = 14

/** Text whose bytes have the order of the values, then of seqs. A parameter's values are all numbers or all text. */
export const sortText = (value: string | number, seq: number): string => `${orderedText(value)}${sortSuffix(seq)}`
/** What every sort text of a version ends with. */
export const sortSuffix = (seq: number): string => `${end}${seq.toString(16).padStart(seqDigits, '0')}`

/** Without the seq: what lies before `orderedText(v) + end` is less than v, whatever its seq. */
export const orderedText = (value: string | number): string => (typeof value === 'number' ? orderedHex(value) : withoutEnd(value))

/** The end mark is written with two others where a value has it, so that all values keep their order and none become equal. */
const shift = '\u0001'
const shifted = { shift: `${shift}\u0002`, end: `${shift}\u0001` } as const

const withoutEnd = (text: string): string =>
  // Hardly any has one.
  text.includes(shift) || text.includes(end) ? text.replaceAll(shift, shifted.shift).replaceAll(end, shifted.end) : text

export const valueOfOrderedText = (text: string, isNumber: boolean): string | number =>
  isNumber ? numberOfHex(text) : text.replaceAll(shifted.end, end).replaceAll(shifted.shift, shift)

/** The end mark, for bounds: `[value + end, value + end + beyond)` are the entries of one value. */
export const valueBounds = (value: string | number): { readonly from: string; readonly before: string } =>
  beginningWith(`${orderedText(value)}${end}`)

export const valueOfSortText = (text: string, isNumber: boolean): string | number =>
  valueOfOrderedText(text.slice(0, -sortSuffixLength), isNumber)
export const sortSuffixLength: number = seqDigits + 1

const bits = new DataView(new ArrayBuffer(8))

/** The bits of a double in an order that bytes have: sign flipped, negative ones turned over. */
const orderedHex = (value: number): string => {
  bits.setFloat64(0, value === 0 ? 0 : value)
  const raw = bits.getBigUint64(0)
  const ordered = value < 0 ? BigInt.asUintN(64, ~raw) : raw | (1n << 63n)
  return ordered.toString(16).padStart(16, '0')
}

const numberOfHex = (text: string): number => {
  const ordered = BigInt(`0x${text}`)
  bits.setBigUint64(0, ordered >> 63n === 1n ? ordered & ~(1n << 63n) : BigInt.asUintN(64, ~ordered))
  return bits.getFloat64(0)
}
