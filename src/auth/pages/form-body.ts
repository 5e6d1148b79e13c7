import type { IncomingMessage } from 'node:http'

/** The fields of a form. Of a field that is given twice `one` has nothing: no page of ours sends that. */
export type FormBody = {
  one(name: string): string | undefined
  all(name: string): readonly string[]
}

export const bodyBytesMax = 65_536
const fieldsMax = 1_000
const valueLengthMax = 10_000

/** Undefined when it is no form, or larger than any of ours. */
export const readForm = async (req: IncomingMessage): Promise<FormBody | undefined> => {
  if (!/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(req.headers['content-type'] ?? '')) return undefined
  const text = await readText(req)
  if (text === undefined) return undefined
  const fields = new URLSearchParams(text)
  if (fields.size > fieldsMax || [...fields.values()].some(value => value.length > valueLengthMax)) return undefined
  return {
    one: name => {
      const values = fields.getAll(name)
      return values.length === 1 ? values[0] : undefined
    },
    all: name => fields.getAll(name),
  }
}

const readText = async (req: IncomingMessage): Promise<string | undefined> => {
  const chunks: Buffer[] = []
  let bytes = 0
  // Without an encoding set, a request gives buffers.
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
