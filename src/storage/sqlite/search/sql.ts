/** A piece of a statement with the values it binds, in order. */
export type Sql = { readonly text: string; readonly values: readonly (string | number)[] }

/**
 * Joins pieces: a piece inside `${}` is spliced in, a string or number is bound, so that a value never becomes text of a statement.
 * The text is the shape of the question: equal shapes share one prepared statement.
 */
export const sql = (strings: TemplateStringsArray, ...parts: readonly (Sql | string | number)[]): Sql => {
  let text = strings[0] as string
  const values: (string | number)[] = []
  for (const [i, part] of parts.entries()) {
    if (typeof part === 'object') {
      text += part.text
      for (const value of part.values) values.push(value)
    } else {
      text += '?'
      values.push(part)
    }
    text += strings[i + 1]
  }
  return { text, values }
}

/** Our own words: names of tables, columns and aliases. Never anything from outside. */
export const word = (text: string): Sql => ({ text, values: [] })

export const empty = word('')
export const never = word('0')
export const always = word('1')

export const join = (pieces: readonly Sql[], between: string): Sql => ({
  text: pieces.map(piece => piece.text).join(between),
  values: pieces.flatMap(piece => piece.values),
})

/** All must hold; what always holds is left out, and one that never does decides. */
export const every = (conditions: readonly Sql[]): Sql => {
  if (conditions.includes(never)) return never
  const asked = conditions.filter(condition => condition !== always)
  return asked.length === 0 ? always : join(asked, ' and ')
}

export const some = (conditions: readonly Sql[]): Sql => {
  if (conditions.includes(always)) return always
  const asked = conditions.filter(condition => condition !== never)
  return asked.length === 0 ? never : asked.length === 1 ? (asked[0] as Sql) : sql`(${join(asked, ' or ')})`
}

export const not = (condition: Sql): Sql => (condition === never ? always : condition === always ? never : sql`not (${condition})`)

/** Whether a row joined by `from` meets the conditions. */
export const exists = (from: Sql, conditions: Sql): Sql =>
  conditions === never ? never : sql`exists (select 1 from ${from} where ${conditions})`
