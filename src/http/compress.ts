import { promisify } from 'node:util'
import { brotliCompress, brotliCompressSync, constants, gzip, gzipSync, zstdCompress, zstdCompressSync } from 'node:zlib'
import { parseQualityList } from './quality-list.ts'
import { remembered } from './remembered.ts'

/** Content-Encoding of answers, at levels made for speed. @see https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3 */

export type Encoding = 'zstd' | 'br' | 'gzip'

/** Below this the header costs more than is gained. */
export const compressFromBytes = 1024
/** Up to here the work is shorter than the way to another thread and back. */
const onThisThreadBytesMax = 16 * 1024

const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }
const gzipOptions = { level: 1 }
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

const now = {
  zstd: (bytes: Uint8Array) => zstdCompressSync(bytes, zstdOptions),
  br: (bytes: Uint8Array) => brotliCompressSync(bytes, brotliOptions),
  gzip: (bytes: Uint8Array) => gzipSync(bytes, gzipOptions),
} satisfies Record<Encoding, (bytes: Uint8Array) => Uint8Array>

const zstdLater = promisify<Uint8Array, typeof zstdOptions, Buffer>(zstdCompress)
const brotliLater = promisify<Uint8Array, typeof brotliOptions, Buffer>(brotliCompress)
const gzipLater = promisify<Uint8Array, typeof gzipOptions, Buffer>(gzip)

const later = {
  zstd: (bytes: Uint8Array) => zstdLater(bytes, zstdOptions),
  br: (bytes: Uint8Array) => brotliLater(bytes, brotliOptions),
  gzip: (bytes: Uint8Array) => gzipLater(bytes, gzipOptions),
} satisfies Record<Encoding, (bytes: Uint8Array) => Promise<Uint8Array>>

/** Large bodies are compressed beside the event loop. */
export const compress = (encoding: Encoding, bytes: Uint8Array): Uint8Array | Promise<Uint8Array> =>
  bytes.length <= onThisThreadBytesMax ? now[encoding](bytes) : later[encoding](bytes)

export const encodingFor = (acceptEncoding: string | undefined): Encoding | undefined =>
  acceptEncoding === undefined || acceptEncoding === '' ? undefined : readAcceptEncoding(acceptEncoding).encoding

/** The most wanted one; among equals the one that is cheapest for what it saves. */
const readAcceptEncoding = remembered((text: string): { readonly encoding: Encoding | undefined } => {
  const list = parseQualityList(text)
  const quality = (name: string): number => (list.find(({ value }) => value === name) ?? list.find(({ value }) => value === '*'))?.q ?? 0
  let encoding: Encoding | undefined
  for (const candidate of ['zstd', 'br', 'gzip'] as const) {
    if (quality(candidate) > (encoding === undefined ? 0 : quality(encoding))) encoding = candidate
  }
  const plain = list.find(({ value }) => value === 'identity')?.q ?? 0
  return { encoding: encoding !== undefined && quality(encoding) < plain ? undefined : encoding }
})

/** Images, archives and the like are compressed already. */
export const isCompressible = (contentType: string): boolean =>
  /^(?:text\/|application\/(?:[\w.-]+\+)?(?:json|xml)\b|application\/(?:javascript|x-ndjson|ndjson)\b|image\/svg)/i.test(contentType)
