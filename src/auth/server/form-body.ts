import type { IncomingMessage } from 'node:http'

/** As every body of ours is bounded. */
const bytesMax = 64 * 1024

/** A form; undefined when the body is none, or too large. */
export const formBody = async (req: IncomingMessage): Promise<URLSearchParams | undefined> => {
  if (!/^application\/x-www-form-urlencoded(?:;|$)/i.test(req.headers['content-type'] ?? '')) return undefined
  const bytes = await wholeBody(req)
  return bytes && new URLSearchParams(bytes.toString('utf8'))
}

/** Undefined when it is too large. */
export const wholeBody = async (req: IncomingMessage): Promise<Buffer | undefined> => {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of req) {
    // Streams of requests give bytes.
    const bytes = part as Buffer
    size += bytes.length
    if (size > bytesMax) return undefined
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}
