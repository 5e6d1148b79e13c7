/** Truthful pages: what is made from tables is fresh, what is named exists, what exists is named. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { generatedPages } from '../scripts/docs-build.ts'

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
