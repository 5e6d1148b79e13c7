/** Every sentence in both languages, those of the design word for word, a name for every type, and the colours of the stylesheet. @see auth.md 14 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { escaped, Html, html } from '../../../src/auth/pages/html.ts'
import { languageOf } from '../../../src/auth/pages/languages.ts'
import { mailTexts } from '../../../src/auth/pages/mails/mail-texts.ts'
import { capital, groupName, groupOf, namedTypes, resourceName } from '../../../src/auth/pages/resource-names.ts'
import { date, dateAndTime, fhirDate } from '../../../src/auth/pages/shown.ts'
import { texts } from '../../../src/auth/pages/texts.ts'
import { testDefinitions } from '../../support/definitions.ts'

const placesOf = (text: string): readonly string[] => [...text.matchAll(/\{(\w+)\}/g)].map(match => match[1] ?? '').toSorted()

/** Names that are the same in both. */
const same = new Set(['label.HIV', 'scope.longWrite', 'browser.name', 'err.code'])

describe('every sentence', () => {
  for (const [key, [id, en]] of Object.entries(texts))
    test(key, () => {
      expect(id.trim()).not.toBe('')
      expect(en.trim()).not.toBe('')
      expect(placesOf(id)).toEqual(placesOf(en))
      if (!same.has(key) && !['label.OPIOIDUD', 'security.browser'].includes(key)) expect(id).not.toBe(en)
    })

  for (const [kind, { subject, text }] of Object.entries(mailTexts))
    test(`mail: ${kind}`, () => {
      for (const [id, en] of [subject, text]) {
        expect(placesOf(id)).toEqual(placesOf(en))
        expect(id).not.toBe(en)
      }
    })

  test('those of the design stand as they are written there', () => {
    const design: readonly (readonly [keyof typeof texts, string, string])[] = [
      [
        'login.failed',
        'Nama pengguna atau kata sandi tidak cocok, atau akun sedang terkunci sementara.',
        'The user name or password does not match, or the account is locked for a while.',
      ],
      [
        'login.expired',
        'Kata sandi Anda sudah lebih dari {days} hari. Buat kata sandi baru.',
        'Your password is older than {days} days. Choose a new one.',
      ],
      [
        'login.session',
        'Sesi Anda berakhir karena tidak ada aktivitas selama {minutes} menit.',
        'Your session ended after {minutes} minutes without activity.',
      ],
      ['mfa.failed', 'Kode salah atau sudah pernah dipakai.', 'The code is wrong or was used before.'],
      ['picker.none', 'Tidak ada pasien yang cocok atau dapat Anda akses.', 'No patient matches, or none that you may open.'],
      [
        'consent.all',
        'Semua data kesehatan, termasuk jenis data yang baru ditambahkan nanti',
        'All health data, including kinds added later',
      ],
      [
        'consent.sensitive',
        'Data yang dilindungi khusus (misalnya kesehatan jiwa, HIV) tidak dicentang. Centang hanya bila perlu.',
        'Specially protected data (such as mental health, HIV) is not ticked. Tick it only if needed.',
      ],
      [
        'btg.warn',
        'Data pasien ini dibatasi. Akses darurat dicatat, dilaporkan kepada petugas pelindungan data, dan diberitahukan kepada pasien.',
        "This patient's data is restricted. Emergency access is recorded, reported to the data protection officer and told to the patient.",
      ],
      ['err.aud', 'Aplikasi ini dibuat untuk server lain.', 'This app is made for another server.'],
      [
        'err.launch',
        'Tautan pembukaan aplikasi sudah tidak berlaku. Buka lagi dari daftar aplikasi.',
        'This app start has expired. Start it again from the app list.',
      ],
    ]
    for (const [key, id, en] of design) expect(texts[key]).toEqual([id, en])
  })
})

test('each of the 146 types of R4 has a name of its own in both languages', () => {
  const types = testDefinitions().resourceTypes
  expect([...namedTypes].toSorted()).toEqual([...types].toSorted())
  for (const language of ['id', 'en'] as const) expect(new Set(types.map(type => resourceName(type, language))).size).toBe(types.length)
})

test('groups have the names of the design', () => {
  const rows: readonly (readonly [type: string, id: string, en: string])[] = [
    ['Condition', 'Diagnosis dan masalah kesehatan', 'Diagnoses and health problems'],
    ['AllergyIntolerance', 'Alergi', 'Allergies'],
    ['MedicationStatement', 'Obat', 'Medicines'],
    ['Encounter', 'Kunjungan', 'Visits'],
    ['Immunization', 'Imunisasi', 'Immunizations'],
    ['DocumentReference', 'Dokumen dan surat', 'Documents and letters'],
    ['Coverage', 'Jaminan dan asuransi', 'Insurance'],
    ['Patient', 'Identitas dan kontak', 'Identity and contact'],
  ]
  for (const [type, id, en] of rows)
    expect([capital(groupName(groupOf(type), 'id')), capital(groupName(groupOf(type), 'en'))]).toEqual([id, en])
})

test('no sentence is there for nothing', () => {
  const folder = join(import.meta.dirname, '../../../src/auth/pages')
  const source = readdirSync(folder)
    .filter(name => name.endsWith('.ts') && name !== 'texts.ts')
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('')
  /** Keys that are put together: of errors, labels, categories, genders, reasons, levels, letters and words of SMART. */
  const made = /^(?:err|label|cat|gender|btg)\.|^scope\.(?:whose|acts|openid|fhirUser|profile)|^security\.(?:success|failure)$/
  expect(Object.keys(texts).filter(key => !source.includes(`'${key}'`) && !made.test(key))).toEqual([])
})

describe('the language of a page', () => {
  const rows: readonly (readonly [Parameters<typeof languageOf>[0], string])[] = [
    [{}, 'id'],
    [{ acceptLanguage: 'en-US,en;q=0.9' }, 'en'],
    [{ acceptLanguage: 'de,en;q=0.5,id;q=0.7' }, 'id'],
    [{ acceptLanguage: 'de, *;q=0.1' }, 'id'],
    [{ acceptLanguage: 'id;q=0, en;q=0.1' }, 'en'],
    [{ acceptLanguage: 'id', uiLocales: 'fr en-GB' }, 'en'],
    [{ acceptLanguage: 'id', uiLocales: 'id', chosen: 'en' }, 'en'],
    [{ account: 'id', uiLocales: 'en', chosen: 'en', acceptLanguage: 'en' }, 'id'],
    [{ chosen: 'xx', acceptLanguage: 'en' }, 'en'],
  ]
  for (const [said, language] of rows) test(`${JSON.stringify(said)} is ${language}`, () => expect(languageOf(said)).toBe(language))
})

describe('dates', () => {
  const rows: readonly (readonly [string, string, string])[] = [
    ['1987-04-23', '23 April 1987', '23 April 1987'],
    ['1987-08', 'Agustus 1987', 'August 1987'],
    ['1987', '1987', '1987'],
    ['soon', 'soon', 'soon'],
  ]
  for (const [text, id, en] of rows) test(text, () => expect([fhirDate(text, 'id'), fhirDate(text, 'en')]).toEqual([id, en]))
  const zones: readonly (readonly [zone: string, id: string, en: string])[] = [
    ['Asia/Jakarta', '21 Nov 2026, 15.00 WIB', '21 Nov 2026, 15:00 WIB'],
    ['Asia/Makassar', '21 Nov 2026, 16.00 WITA', '21 Nov 2026, 16:00 WITA'],
    ['Asia/Jayapura', '21 Nov 2026, 17.00 WIT', '21 Nov 2026, 17:00 WIT'],
    ['Europe/Berlin', '21 Nov 2026, 09.00 GMT+1', '21 Nov 2026, 09:00 GMT+1'],
  ]
  for (const [zone, id, en] of zones)
    test(`times are those of ${zone}, and say so`, () => {
      const at = Date.UTC(2026, 10, 21, 8)
      expect([dateAndTime(at, 'id', zone), dateAndTime(at, 'en', zone)]).toEqual([id, en])
    })

  test('a date is that of its zone', () => {
    const at = Date.UTC(2026, 10, 21, 16, 30)
    expect([date(at, 'id', 'Asia/Jakarta'), date(at, 'id', 'Asia/Makassar')]).toEqual(['21 November 2026', '22 November 2026'])
  })
})

describe('templates', () => {
  test('escape what stands in text and between quotes, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const page = html`<p title="${text}">${text}</p>`.toString()
        expect(page.replaceAll(escaped(text), '')).toBe('<p title=""></p>')
        expect(escaped(text)).not.toMatch(/[<>"'`]/)
      }),
    )
  })

  test('lead to no address that runs something', () => {
    for (const address of ['javascript:alert(1)', 'data:text/html,x', '//evil.example', '/\\evil.example', ' javascript:x'])
      expect(html`<a href="${address}">x</a>`.toString()).toBe('<a href="#">x</a>')
    expect(html`<a href="${'https://app.example/a?b=1&c=2'}">x</a>`.toString()).toBe('<a href="https://app.example/a?b=1&amp;c=2">x</a>')
  })

  const unsafe: readonly (readonly [string, () => Html])[] = [
    ['an attribute without quotes', () => html`<p title=${'x'}></p>`],
    ['a script', () => html`<script>${'x'}</script>`],
    ['a style', () => html`<style>${'x'}</style>`],
    ['a handler', () => html`<p onclick="${'x'}"></p>`],
    ['a style attribute', () => html`<p style="${'x'}"></p>`],
    ['a comment', () => html`<!-- ${'x'} -->`],
    ['the name of a tag', () => html`<${'x'}>`],
    ['text between attributes', () => html`<p ${'onclick=x'}></p>`],
    ['markup between quotes', () => html`<p title="${html`<b>`}"></p>`],
  ]
  for (const [name, write] of unsafe) test(`do not run with a value in ${name}`, () => expect(write).toThrow(/unsafe place|stands between/))
})

describe('the colours of the stylesheet', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../src/auth/pages/assets/pages.css'), 'utf8')
  const palette = (text: string): Readonly<Record<string, string>> =>
    Object.fromEntries([...text.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, color]) => [name, color]))
  const dark = css.indexOf('prefers-color-scheme: dark')
  const palettes = { light: palette(css.slice(0, dark)), dark: { ...palette(css.slice(0, dark)), ...palette(css.slice(dark)) } }
  const luminance = (color: string): number => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map(at => Number.parseInt(color.slice(at, at + 2), 16) / 255)
      .map(one => (one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (a: string, b: string): number => {
    const [dim = 0, bright = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y)
    return (bright + 0.05) / (dim + 0.05)
  }
  /** WCAG 1.4.3: 4.5 for text; 1.4.11: 3 for the borders of controls and the ring of focus. */
  const pairs: readonly (readonly [on: string, above: string, least: number])[] = [
    ...['ground', 'card', 'tint', 'glow'].flatMap((ground): (readonly [string, string, number])[] => [
      ['text', ground, 4.5],
      ['muted', ground, 4.5],
      ['accent', ground, 4.5],
    ]),
    ['on-accent', 'accent', 4.5],
    ['on-accent', 'accent-strong', 4.5],
    ['bad', 'card', 4.5],
    ['bad', 'bad-tint', 4.5],
    ['good', 'good-tint', 4.5],
    ['on-alarm', 'alarm', 4.5],
    ['control', 'card', 3],
    ['accent', 'ground', 3],
  ]
  for (const [name, colors] of Object.entries(palettes))
    for (const [on, above, least] of pairs)
      test(`${name}: ${on} on ${above} has ${least} at least`, () =>
        expect(contrast(colors[on] ?? '', colors[above] ?? '')).toBeGreaterThanOrEqual(least))
})
