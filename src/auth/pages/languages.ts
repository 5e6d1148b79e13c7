/** The languages of all that people read here. */
export type Language = 'id' | 'en'

export const languages: readonly Language[] = ['id', 'en']

export const isLanguage = (text: string | undefined): text is Language => text === 'id' || text === 'en'

/** The account's, else what the application asked for (`ui_locales`), else what was chosen or is set in the browser, else Indonesian. @see auth.md 14 */
export const languageOf = (said: {
  readonly account?: Language
  readonly chosen?: string
  readonly uiLocales?: string
  readonly acceptLanguage?: string
}): Language => {
  if (said.account !== undefined) return said.account
  if (isLanguage(said.chosen)) return said.chosen
  const asked = (said.uiLocales ?? '').slice(0, textMax).split(' ').map(primary).find(isLanguage)
  return asked ?? preferred(said.acceptLanguage ?? '') ?? 'id'
}

const textMax = 512
const membersMax = 32

const primary = (tag: string): string => tag.trim().toLowerCase().split(/[-_;]/, 1)[0]?.trim() ?? ''

/** Of a list with weights; among equals the first. */
const preferred = (header: string): Language | undefined => {
  const rows = header
    .slice(0, textMax)
    .split(',', membersMax)
    .map(member => ({ language: primary(member), weight: Number(/;\s*q=([\d.]+)/.exec(member)?.[1] ?? 1) }))
    .filter(({ weight }) => weight > 0)
  return rows
    .toSorted((a, b) => b.weight - a.weight)
    .map(row => row.language)
    .find(isLanguage)
}
