/**
 * Escapes in search values: `\,` `\|` `\$` and `\\` stand for the character itself; a backslash before anything else is a backslash.
 * @see https://hl7.org/fhir/R4/search.html#escaping
 */
export const unescapeValue = (text: string): string => (text.includes('\\') ? text.replace(/\\([,|$\\])/g, '$1') : text)

/** The pieces between unescaped `separator`s, still escaped. */
export const splitValue = (text: string, separator: ',' | '|' | '$'): readonly string[] => {
  if (!text.includes('\\')) return text.split(separator)
  const pieces: string[] = []
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === separator) {
      pieces.push(text.slice(start, i))
      start = i + 1
    }
  }
  pieces.push(text.slice(start))
  return pieces
}
