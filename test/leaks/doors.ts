import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AdminRoute } from '../../src/auth/admin/routes.ts'
import { discoveryPath } from '../../src/http/challenge.ts'

/**
 * What the server has beside the FHIR API, read from the code itself: a route, a page or a door that is added later is in these lists, and stands in the walk or
 * fails it.
 */

const source = join(import.meta.dirname, '../../src')

const exportsOf = async (folder: string, wanted: RegExp): Promise<readonly (readonly [name: string, value: unknown])[]> => {
  const files = readdirSync(join(source, folder)).filter(file => wanted.test(file))
  const modules = await Promise.all(files.map(file => import(pathToFileURL(join(source, folder, file)).href) as Promise<object>))
  return modules.flatMap(module => Object.entries(module))
}

/** All that administrators can ask. */
export const adminRoutes = async (): Promise<readonly AdminRoute[]> =>
  (await exportsOf('auth/admin', /-routes\.ts$/)).flatMap(([name, value]) =>
    name.endsWith('Routes') && Array.isArray(value) ? (value as readonly AdminRoute[]) : [],
  )

const isTable = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length > 0 &&
  Object.keys(value).every(key => /^(?:GET|POST) /.test(key))

/** What stands before the paths of tables that do not begin at the root of the server. What belongs to an application that waits has no address by itself. */
const mounts: Readonly<Record<string, string>> = {
  loginSteps: '/login',
  federationStart: '/login',
  interactionPages: '/login/{uid}',
  federationCallback: '/login/federation',
}

const isWhole = (table: object): boolean => Object.keys(table).every(key => /^\w+ \/(?:login|account)(?:\/|$)/.test(key))

export type PageRow = { readonly method: 'GET' | 'POST'; readonly path: string }

/** Every page; throws on a table that nobody gave a place. */
export const pageRows = async (): Promise<readonly PageRow[]> => {
  const rows = new Map<string, PageRow>()
  for (const [name, table] of await exportsOf('auth/pages', /\.ts$/)) {
    if (!isTable(table)) continue
    const mount = mounts[name] ?? (isWhole(table) ? '' : undefined)
    if (mount === undefined) throw new Error(`${name} is a table of pages that the walk does not know.`)
    for (const key of Object.keys(table)) {
      const [method = '', path = ''] = key.split(' ')
      const after = name === 'federationCallback' ? '/*/callback' : path
      rows.set(`${method} ${mount}${after}`, { method: method === 'POST' ? 'POST' : 'GET', path: `${mount}${after}` })
    }
  }
  return [...rows.values()]
}

const textOf = (file: string): string => readFileSync(join(source, file), 'utf8')

/** Paths of the doors as they are put together. */
export const doorPaths = (): readonly string[] =>
  [...textOf('compose/sign-in.ts').matchAll(/\bpaths: \[([^\]]*)\]/g)]
    .flatMap(([, inside = '']) => inside.split(',').map(one => one.trim()))
    .map(one => (one.startsWith("'") ? one.slice(1, -1) : one))
    .filter(one => one !== '')

/** Paths beside them: health, figures, discovery, the start page. */
export const plainPaths = (): readonly string[] =>
  [...textOf('http/pages.ts').matchAll(/(?:'(\/[^']*)'|\[`([^`]*)`\]): (?:exchange|ownMachine|state)/g)].map(
    ([, plain, made = '']) => plain ?? made.replace('${basePath}', '/fhir').replace('${discoveryPath}', discoveryPath),
  )
