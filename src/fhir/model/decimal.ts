/** JSON.rawJSON of ECMAScript (proposal JSON.parse source text access); TypeScript's library does not know it yet. */
const { rawJSON } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown }

/**
 * A JSON number that a JavaScript number would not give back digit for digit: `1.10`, `1e3`, twenty digits.
 * What computes uses `value` (which may be infinite), what stores and answers uses `text`.
 * @see https://hl7.org/fhir/R4/datatypes.html#decimal
 */
export class Decimal {
  readonly text: string
  readonly value: number

  constructor(text: string) {
    this.text = text
    this.value = Number(text)
  }

  toJSON(): unknown {
    return rawJSON(this.text)
  }
}

/** The number that `x` means; undefined when it is none, or one beyond what a double can hold. */
export const numberOf = (x: unknown): number | undefined => {
  const number = x instanceof Decimal ? x.value : x
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** The digits of a number as they were sent; '' when `x` is no number. */
export const decimalText = (x: unknown): string => {
  if (x instanceof Decimal) return x.text
  return typeof x === 'number' ? JSON.stringify(x) : ''
}

/** Whether a JavaScript number gives this text back. */
export const isPlainNumber = (text: string): boolean => String(Number(text)) === text

/** Whether two numbers mean the same value, whatever their digits: `1.10` and `1.1`, `1e400` and `10e399`. */
export const sameNumber = (a: number | Decimal, b: number | Decimal): boolean => canonical(decimalText(a)) === canonical(decimalText(b))

/** Significant digits without zeros at either end, and the power of ten of the last one. */
const canonical = (text: string): string => {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  if (digits === '') return '0'
  const significant = digits.replace(/0+$/, '')
  return `${sign}${significant}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - significant.length)}`
}
