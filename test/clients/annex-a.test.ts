/** Annex A is held: every line by tests that are there, or named as open; what the server says it can do, and docs/conformance.md, agree with it. */
import { globSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { smartConfiguration } from '../../src/auth/smart/discovery.ts'
import { publicAddress } from '../../src/auth/web.ts'
import { annexA, capabilityTests, type Held, type Line } from './annex-a.ts'

const folder = resolve(import.meta.dirname, '..')
const sources = new Map(globSync('**/*.test.ts', { cwd: folder }).map(file => [file, readFileSync(join(folder, file), 'utf8')]))

/** Beginnings that no title of the file has. */
const missing = (held: Held): readonly string[] =>
  Object.entries(held).flatMap(([file, titles]) =>
    titles
      .filter(title => !["'", '`', '"'].some(quote => sources.get(file)?.includes(`${quote}${title.replaceAll("'", "\\'")}`) === true))
      .map(title => `${file}: ${title}`),
  )

test('every line has its place, each once', () => {
  expect(annexA.map(({ line }) => Number(line.split(' ')[1]))).toEqual(Array.from({ length: 55 }, (_, at) => at + 1))
})

for (const { line, requirement, stands, why, held } of annexA)
  test(`${line} ${stands === 'open' ? 'is open' : 'is held'}: ${requirement}`, () => {
    expect(missing(held)).toEqual([])
    expect([line, Object.keys(held).length > 0]).toEqual([line, stands !== 'open'])
    expect([line, why !== undefined]).toEqual([line, stands !== 'yes'])
  })

test('every test that names a line stands in the register under it', () => {
  const strays = [...sources].flatMap(([file, text]) =>
    [...text.matchAll(/\b(?:test|describe)\(\s*(['`])((?:(?!\1).)*)\1/g)].flatMap(([, , title = '']) =>
      linesIn(title)
        .filter(line => !annexA.some(one => one.line === line && (one.held[file] ?? []).some(begin => title.startsWith(begin))))
        .map(line => `${file}: ${line}`),
    ),
  )
  expect(strays).toEqual([])
})

/** `A.3 11, 12` and `A.3 11, A.3 12` name two. */
const linesIn = (title: string): readonly string[] =>
  [...title.matchAll(/(A\.\d+) (\d+(?:, \d+)*)/g)].flatMap(([, section = '', numbers = '']) =>
    numbers.split(', ').map(number => `${section} ${number}`),
  )

describe('the capabilities in the discovery document', () => {
  const document = JSON.parse(smartConfiguration({ address: publicAddress('https://simpul.example'), registration: false, scopes: [] }))

  test('are those that tests hold', () => {
    expect([...document.capabilities].sort()).toEqual(Object.keys(capabilityTests).sort())
  })

  for (const [capability, held] of Object.entries(capabilityTests))
    test(`${capability} has its tests`, () => {
      expect(Object.keys(held)).not.toEqual([])
      expect(missing(held)).toEqual([])
    })
})

const row = ({ line, requirement, stands, why, held }: Line): string =>
  `| ${line} | ${requirement} | ${stands === 'open' ? 'not yet' : stands}${why === undefined ? '' : `: ${why}`} | ${Object.keys(held)
    .map(file => `\`${file}\``)
    .join(', ')} |`

test('docs/conformance.md says the same', () => {
  const page = readFileSync(join(folder, '../docs/conformance.md'), 'utf8')
  const rows = page.split('\n').filter(text => text.startsWith('| A.'))
  expect(rows).toEqual(annexA.map(row))
})
