/**
 * HTML of which only the words in the source are markup: every value is escaped where it stands, in text and between the quotes of an attribute.
 * There is no way to give it markup from elsewhere, and a template in which escaping would not be enough does not run.
 * @see auth.md 17, T26
 */
export class Html {
  readonly #text: string

  private constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }

  /** The tag of a template. */
  static of(parts: TemplateStringsArray, ...values: readonly Fragment[]): Html {
    const { places, words } = templateOf(parts)
    let text = words[0] ?? ''
    for (const [at, value] of values.entries()) text += `${written(value, places[at] ?? 'text')}${words[at + 1] ?? ''}`
    return new Html(text)
  }
}

/** What may stand in a template: `undefined` and `false` are nothing, so that `there && html…` reads well. */
export type Fragment = Html | string | number | false | undefined | readonly Fragment[]

export const html = Html.of

/** Signs that control the direction of text, or nothing that is seen, are left out: a name must not rearrange the words around it. */
export const escaped = (text: string): string =>
  text.replace(/[\u202A-\u202E\u2066-\u2069]|(?![\t\n\r])\p{Cc}/gu, '').replace(/[&<>"'`]/g, sign => entities[sign] ?? '')

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' }

/** Where a value stands: in text, between quotes, between the quotes of an address, or between attributes, where only whole attributes may. */
type Place = 'text' | 'quoted' | 'address' | 'attributes'

const written = (value: Fragment, place: Place): string => {
  if (value === undefined || value === false) return ''
  if (typeof value === 'string' || typeof value === 'number') return writtenText(String(value), place)
  if (!(value instanceof Html)) return value.map(one => written(one, place)).join('')
  if (place === 'quoted' || place === 'address') throw new Error('markup stands between quotes')
  return value.toString()
}

const writtenText = (text: string, place: Place): string => {
  if (place === 'attributes') throw new Error('a text stands between attributes')
  return escaped(place === 'address' ? safeAddress(text) : text)
}

/** Addresses that a browser may follow: paths of this server, https, and http, which redirect addresses in development have. Others lead nowhere. */
const safeAddress = (text: string): string => (/^(?:\/(?![/\\])|https?:\/\/|#)/.test(text) ? text : '#')

type Template = { readonly places: readonly Place[]; readonly words: readonly string[] }

const known = new WeakMap<TemplateStringsArray, Template>()

/** Found once for each template in the source. Its indentation does not travel. */
const templateOf = (parts: TemplateStringsArray): Template => {
  const template = known.get(parts) ?? {
    places: parts.slice(0, -1).map((_, at) => placeAfter(parts.slice(0, at + 1).join('value'))),
    words: parts.map((part, at) => (at === 0 ? part.trimStart() : part).replace(/\s*\n\s*/g, '\n')),
  }
  known.set(parts, template)
  return template
}

const placeAfter = (text: string): Place => {
  const tag = partOfTag(text)
  if (/<(?:script|style)\b[^>]*>[^<]*$/i.test(text) || text.lastIndexOf('<!--') > text.lastIndexOf('-->')) throw unsafe(text)
  if (!tag.startsWith('<') || tag.includes('>')) return 'text'
  const between = tag.split('"').length % 2 === 0
  if (!between && /\s$/.test(tag)) return 'attributes'
  if (!between || /\s(?:on\w+|style|srcdoc)="[^"]*$/i.test(tag)) throw unsafe(text)
  return /\s(?:href|src|action|formaction)="$/i.test(tag) ? 'address' : 'quoted'
}

/** From the last `<` on; a template that begins with an attribute is a part of a tag as well. */
const partOfTag = (text: string): string =>
  !text.includes('<') && /^\s*[\w-]+\s*=/.test(text) ? `< ${text}` : text.slice(Math.max(0, text.lastIndexOf('<')))

const unsafe = (text: string): Error => new Error(`a value stands in an unsafe place of a template: ${text.slice(-40)}`)
