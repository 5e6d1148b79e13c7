/** One member of a header such as Accept: `text/html;level=1;q=0.5`. */
export type Weighted = { readonly value: string; readonly parameters: ReadonlyMap<string, string>; readonly q: number }

const membersMax = 64

/** A list with weights, lower-cased, in the order sent; members without sense are left out. @see https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2 */
export const parseQualityList = (text: string): readonly Weighted[] => {
  const list: Weighted[] = []
  for (const member of text.toLowerCase().split(',', membersMax)) {
    const [value = '', ...rest] = member.split(';').map(part => part.trim())
    if (value === '') continue
    const parameters = new Map(rest.map(pairOf))
    const q = weightOf(parameters.get('q'))
    parameters.delete('q')
    if (q !== undefined) list.push({ value, parameters, q })
  }
  return list
}

const pairOf = (text: string): [string, string] => {
  const equals = text.indexOf('=')
  return equals === -1 ? [text, ''] : [text.slice(0, equals).trim(), unquoted(text.slice(equals + 1).trim())]
}

const unquoted = (text: string): string => (text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text)

const weightOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return 1
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Number(text) : undefined
}
