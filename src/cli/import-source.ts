import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createGunzip } from 'node:zlib'

/** One JSON document of a file: a line of NDJSON, or the whole of a `.json` file (line 0). `readBytes` counts the file's own (compressed) bytes so far. */
export type SourceDocument = { readonly file: string; readonly line: number; readonly bytes: Uint8Array; readonly readBytes: number }

export type SourceFile = { readonly path: string; readonly bytes: number; readonly lines: boolean; readonly gzip: boolean }

const kinds = /\.(ndjson|jsonl|json)(\.gz)?$/i

/** The files that `paths` name; folders are searched through, in order of names. Files of another kind are listed in `strange`. */
export const findSources = async (paths: readonly string[]): Promise<{ readonly files: SourceFile[]; readonly strange: string[] }> => {
  const files: SourceFile[] = []
  const strange: string[] = []
  const visit = async (path: string, named: boolean): Promise<void> => {
    const found = await stat(path).catch(() => undefined)
    if (found?.isDirectory()) {
      for (const name of (await readdir(path)).sort()) await visit(join(path, name), false)
      return
    }
    const kind = kinds.exec(path)
    if (found?.isFile() && kind)
      files.push({ path, bytes: found.size, lines: kind[1]?.toLowerCase() !== 'json', gzip: kind[2] !== undefined })
    else if (named) strange.push(path)
  }
  for (const path of paths) await visit(path, true)
  return { files, strange }
}

const newline = 0x0a

/** The documents of one file, read as a stream: memory holds one document and one block. Fails the walk when a document exceeds `bytesMax`. */
export async function* documentsOf(file: SourceFile, bytesMax: number): AsyncGenerator<SourceDocument> {
  const raw = createReadStream(file.path, { highWaterMark: 256 * 1024 })
  const stream = file.gzip ? raw.pipe(createGunzip()) : raw
  if (file.gzip) raw.on('error', error => stream.destroy(error))
  let line = 0
  let pending: Buffer[] = []
  let pendingBytes = 0
  const take = (): Buffer => {
    const whole = pending.length === 1 ? (pending[0] as Buffer) : Buffer.concat(pending)
    pending = []
    pendingBytes = 0
    return whole
  }
  const keep = (part: Buffer): void => {
    pendingBytes += part.length
    if (pendingBytes > bytesMax) throw new SourceError(`${file.path}:${line + 1} is larger than ${bytesMax} bytes.`)
    pending.push(part)
  }
  for await (const block of stream as AsyncIterable<Buffer>) {
    let from = 0
    for (let at = file.lines ? block.indexOf(newline) : -1; at !== -1; at = block.indexOf(newline, from)) {
      keep(block.subarray(from, at))
      from = at + 1
      line += 1
      const bytes = take()
      if (!isBlank(bytes)) yield { file: file.path, line, bytes, readBytes: raw.bytesRead }
    }
    if (from < block.length) keep(block.subarray(from))
  }
  const rest = take()
  if (!isBlank(rest)) yield { file: file.path, line: file.lines ? line + 1 : 0, bytes: rest, readBytes: raw.bytesRead }
}

/** The file itself is the trouble; the message says which and why. */
export class SourceError extends Error {}

const isBlank = (bytes: Uint8Array): boolean => bytes.length < 16 && bytes.every(byte => byte <= 0x20)
