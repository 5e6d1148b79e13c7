/** Truthful pages: what is made from tables is fresh, what is named exists, what exists is named. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { generatedPages } from '../scripts/docs-build.ts'
import { defaultLimits } from '../src/base/limits.ts'
import { interactions } from '../src/interactions/index.ts'
import { resultParameters } from '../src/search/result-parameters.ts'
import { searchTypes } from '../src/search/types/index.ts'

const root = resolve(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]

describe('generated pages', () => {
  for (const [path, page] of Object.entries(generatedPages)) {
    test(`${path} is what its table says now (npm run docs:build)`, () => {
      expect(read(path)).toBe(page())
    })
  }
})

describe('every page', () => {
  for (const path of pages) {
    test(`${path} links only to what exists`, () => {
      const links = [...read(path).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target]) => target as string)
      expect(links.filter(target => !existsSync(join(root, dirname(path), target)))).toEqual([])
    })
  }

  test('that code points to exists', () => {
    const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.ts'))
    const named = sources.flatMap(name => [...read(`src/${name}`).matchAll(/docs\/[\w./-]+\.md/g)].map(([path]) => path))
    expect([...new Set(named)].filter(path => !existsSync(join(root, path)))).toEqual([])
  })

  test('of docs/decisions stands in its index', () => {
    const index = read('docs/decisions/README.md')
    expect(readdirSync(join(root, 'docs/decisions')).filter(name => name !== 'README.md' && !index.includes(`(${name})`))).toEqual([])
  })

  test('README stays under 150 lines, ARCHITECTURE under 250', () => {
    expect(read('README.md').split('\n').length).toBeLessThan(150)
    expect(read('ARCHITECTURE.md').split('\n').length).toBeLessThan(250)
  })
})

describe('ARCHITECTURE.md', () => {
  const text = read('ARCHITECTURE.md')

  test('names every room', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name)
    expect(rooms.filter(room => !text.includes(`\`${room}\``) && !text.includes(`${room}/`))).toEqual([])
  })

  test('names only files that exist', () => {
    const named = [
      ...text.matchAll(/`((?:base|fhir|search|storage|interactions|http|cli|demo|config|telemetry|test|scripts)\/[\w./-]+\.ts)`/g),
    ].map(([, path]) => path as string)
    const exists = (path: string): boolean => existsSync(join(root, 'src', path)) || existsSync(join(root, path))
    expect(named.filter(path => !exists(path))).toEqual([])
  })
})

describe('docs/api/README.md', () => {
  const text = read('docs/api/README.md')

  test('names every interaction, and no other', () => {
    const named = [...(text.split('## Searching')[0] ?? '').matchAll(/\| ((?:`\$?[a-z-]+`[ ]?)+) \|/g)].flatMap(([, codes]) =>
      [...(codes as string).matchAll(/`(\$?[a-z-]+)`/g)].map(([, code]) => code as string),
    )
    expect(named.toSorted()).toEqual(Object.keys(interactions).toSorted())
  })

  test('tells the limits that hold', () => {
    const { urlBytesMax, resourceBytesMax, bundleBytesMax, depthMax, countDefault, countMax, includesMax, orValuesMax } = defaultLimits
    for (const words of [
      `${urlBytesMax / 1024} KiB`,
      `${resourceBytesMax / 1024 ** 2} MiB`,
      `${bundleBytesMax / 1024 ** 2} MiB`,
      `| ${depthMax} |`,
      `${countDefault}, at most ${countMax.toLocaleString('en')}`,
      includesMax.toLocaleString('en'),
      orValuesMax.toLocaleString('en'),
    ]) {
      expect(text).toContain(words)
    }
  })
})

describe('docs/conformance.md', () => {
  const text = read('docs/conformance.md')

  test('names the tests that speak for a row, and they exist', () => {
    const named = [...text.matchAll(/`(test\/[\w./-]+\.ts)`/g)].map(([, path]) => path as string)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter(path => !existsSync(join(root, path)))).toEqual([])
  })

  const rowWith = (word: string): string => text.split('\n').find(line => line.startsWith('|') && line.includes(`\`${word}\``)) ?? ''

  test('says of every modifier whether it is answered or refused, as the tables of the search do', () => {
    for (const [name, modifier] of Object.values(searchTypes).flatMap(type => Object.entries(type.modifiers))) {
      expect([name, rowWith(`:${name}`)]).toEqual([name, expect.stringMatching(modifier === 'unsupported' ? /\| refused \|/ : /\| yes \|/)])
    }
  })

  test('names every result parameter', () => {
    expect(Object.keys(resultParameters).filter(name => !['_format', '_pretty', '_cursor'].includes(name) && rowWith(name) === '')).toEqual(
      [],
    )
  })
})

describe('dependencies', () => {
  test('each have their line in docs/decisions/dependencies.md', () => {
    const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
    const text = read('docs/decisions/dependencies.md')
    expect(Object.entries(dependencies).filter(([name, version]) => !text.includes(`\`${name}\` ${version}`))).toEqual([])
  })

  test('all optional parts of locked packages stand in the lockfile', () => {
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>
    }
    const locked = new Set(Object.keys(packages).map(path => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)))
    const missing = Object.values(packages)
      .flatMap(entry => Object.keys(entry.optionalDependencies ?? {}))
      .filter(name => !locked.has(name))
    expect([...new Set(missing)]).toEqual([])
  })
})
