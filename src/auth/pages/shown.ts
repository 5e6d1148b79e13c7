import type { Language } from './languages.ts'

/** Dates and times as people read them, in the time of western Indonesia unless said otherwise. */
const zone = 'Asia/Jakarta'
const zoneName = 'WIB'

const locales: Readonly<Record<Language, string>> = { id: 'id-ID', en: 'en-GB' }

const formats = (language: Language) => ({
  date: new Intl.DateTimeFormat(locales[language], { dateStyle: 'long', timeZone: zone }),
  dateAndTime: new Intl.DateTimeFormat(locales[language], { dateStyle: 'medium', timeStyle: 'short', timeZone: zone }),
  time: new Intl.DateTimeFormat(locales[language], { timeStyle: 'short', timeZone: zone }),
})

const made: Readonly<Record<Language, ReturnType<typeof formats>>> = { id: formats('id'), en: formats('en') }

export const date = (at: number, language: Language): string => made[language].date.format(at)
export const dateAndTime = (at: number, language: Language): string => `${made[language].dateAndTime.format(at)} ${zoneName}`
export const timeOfDay = (at: number, language: Language): string => `${made[language].time.format(at)} ${zoneName}`

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
