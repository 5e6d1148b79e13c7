import type { Language } from './languages.ts'

/** Dates and times as people read them. `at`: ms; `zone`: an IANA name, whose short name stands behind each time, for not everybody lives in it. */

const locales: Readonly<Record<Language, string>> = { id: 'id-ID', en: 'en-GB' }

const formatsOf = (language: Language, timeZone: string) => ({
  date: new Intl.DateTimeFormat(locales[language], { dateStyle: 'long', timeZone }),
  dateAndTime: new Intl.DateTimeFormat(locales[language], { dateStyle: 'medium', timeStyle: 'short', timeZone }),
  time: new Intl.DateTimeFormat(locales[language], { timeStyle: 'short', timeZone }),
  // Indonesian knows WIB, WITA and WIT, and says all others in hours from GMT: that is the same in both languages.
  zone: new Intl.DateTimeFormat(locales.id, { timeZoneName: 'short', timeZone }),
})

/** Made once: that costs more than all formatting. An installation has one zone. */
const made = new Map<string, ReturnType<typeof formatsOf>>()

const formats = (language: Language, zone: string): ReturnType<typeof formatsOf> => {
  const key = `${language} ${zone}`
  const found = made.get(key) ?? formatsOf(language, zone)
  made.set(key, found)
  return found
}

export const date = (at: number, language: Language, zone: string): string => formats(language, zone).date.format(at)

export const dateAndTime = (at: number, language: Language, zone: string): string =>
  `${formats(language, zone).dateAndTime.format(at)} ${zoneName(at, language, zone)}`

export const timeOfDay = (at: number, language: Language, zone: string): string =>
  `${formats(language, zone).time.format(at)} ${zoneName(at, language, zone)}`

/** `WIB`, or `GMT+2`: of that moment, for some zones change. */
const zoneName = (at: number, language: Language, zone: string): string =>
  formats(language, zone)
    .zone.formatToParts(at)
    .find(({ type }) => type === 'timeZoneName')?.value ?? zone

/** A FHIR date, or a part of one, in words: `23 April 1987`, `April 1987`, `1987`. A text that is none stays as it is. */
export const fhirDate = (text: string, language: Language): string => {
  const [, year, month, day] = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$/.exec(text) ?? []
  if (year === undefined) return text
  const options: Intl.DateTimeFormatOptions = {
    timeZone: 'UTC',
    year: 'numeric',
    ...(month === undefined ? {} : { month: 'long' }),
    ...(day === undefined ? {} : { day: 'numeric' }),
  }
  return new Intl.DateTimeFormat(locales[language], options).format(Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1)))
}
