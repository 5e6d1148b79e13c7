/**
 * The letters of SMART v2, in their order: what scopes and roles speak of.
 * @see https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html
 */
export const letterOrder = 'cruds'

export type Letter = 'c' | 'r' | 'u' | 'd' | 's'

const interactionLetters: Readonly<Record<string, Letter>> = {
  create: 'c',
  read: 'r',
  vread: 'r',
  'history-instance': 'r',
  update: 'u',
  patch: 'u',
  delete: 'd',
  'search-type': 's',
  'search-system': 's',
  'search-compartment': 's',
  'history-type': 's',
  'history-system': 's',
}

/** Undefined for what needs no letter of its own (capabilities, batch, transaction) and for what is not known. */
export const letterOf = (interaction: string): Letter | undefined =>
  Object.hasOwn(interactionLetters, interaction) ? interactionLetters[interaction] : undefined

/** Whether the text is a non-empty selection of the letters in their order, each once. */
export const areLetters = (text: string): boolean => {
  let last = -1
  for (const letter of text) {
    const at = letterOrder.indexOf(letter)
    if (at <= last) return false
    last = at
  }
  return text !== ''
}

export const commonLetters = (a: string, b: string): string =>
  [...letterOrder].filter(letter => a.includes(letter) && b.includes(letter)).join('')

export const allLetters = (parts: Iterable<string>): string => {
  const found = new Set([...parts].join(''))
  return [...letterOrder].filter(letter => found.has(letter)).join('')
}

export const hasLetters = (letters: string, wanted: string): boolean => [...wanted].every(letter => letters.includes(letter))
