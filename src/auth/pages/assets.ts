import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WebHandler } from '../web.ts'

/** The stylesheet, the script and the mark, served under names that hold a hash of what is in them: a browser may keep them for ever. */
type AssetName = 'pages.css' | 'pages.js' | 'mark.svg'

const contentTypes: Readonly<Record<AssetName, string>> = {
  'pages.css': 'text/css; charset=utf-8',
  'pages.js': 'text/javascript; charset=utf-8',
  'mark.svg': 'image/svg+xml',
}

const folder = '/login/assets/'
const hashLength = 16

const hashed = (name: AssetName): { readonly path: string; readonly body: Buffer; readonly type: string } => {
  const body = readFileSync(join(import.meta.dirname, 'assets', name))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, hashLength)
  const dot = name.lastIndexOf('.')
  return { path: `${folder}${name.slice(0, dot)}.${hash}${name.slice(dot)}`, body, type: contentTypes[name] }
}

const files = { css: hashed('pages.css'), js: hashed('pages.js'), mark: hashed('mark.svg') }
const byPath = new Map(Object.values(files).map(file => [file.path, file]))

export const assetPaths = { css: files.css.path, js: files.js.path, mark: files.mark.path }

export const isAsset = (path: string): boolean => path.startsWith(folder)

export const serveAsset: WebHandler = async (req, res) => {
  const file = byPath.get((req.url ?? '').split('?', 1)[0] ?? '')
  if (file === undefined || (req.method !== 'GET' && req.method !== 'HEAD')) {
    res.writeHead(file === undefined ? 404 : 405, { 'Cache-Control': 'no-store', 'Content-Length': 0 })
    res.end()
    return
  }
  res.writeHead(200, {
    'Content-Type': file.type,
    'Content-Length': file.body.length,
    'Cache-Control': 'public, max-age=31536000, immutable',
    'X-Content-Type-Options': 'nosniff',
  })
  res.end(req.method === 'HEAD' ? undefined : file.body)
}
