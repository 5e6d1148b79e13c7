import { hasBody } from './body.ts'
import type { BodyBudget } from './body-budget.ts'
import type { DoorProblem } from './door-problems.ts'
import type { Exchange } from './exchange.ts'

/** `text`: as latin1, for who looks at a form before its handler does. */
export type Arrived = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: DoorProblem }

const noBody: Arrived = { ok: true, text: '' }
const refused = (what: DoorProblem['what'], status: number): Arrived => ({ ok: false, problem: { what, status } })

/**
 * Watches a body come and leaves it in the request, unread: its handler reads it as it likes, and never waits for a slow client. More than `bytesMax` is
 * never held. To be called before anything is awaited, for the first bytes come with the headers. Resolves when the body is whole, too large, or cut off.
 */
export const arrivalOf = (exchange: Exchange, bytesMax: number, budget: BodyBudget): Promise<Arrived> | Arrived => {
  const { req } = exchange
  if (!hasBody(req)) return noBody
  if ((req.headers['content-encoding'] ?? 'identity') !== 'identity') return refused('encoding', 415)
  if (Number(req.headers['content-length'] ?? 0) > bytesMax) return refused('too-large', 413)
  return new Promise(resolve => {
    const chunks: Uint8Array[] = []
    let bytes = 0
    const push = req.push.bind(req)
    // node:http hands each chunk, and null at the end, to `push` of the request. All that comes fits into memory, so it is never told to wait.
    req.push = (chunk: Uint8Array | null) => {
      if (chunk === null) {
        resolve({ ok: true, text: Buffer.concat(chunks).toString('latin1') })
        return push(null)
      }
      bytes += chunk.length
      if (bytes > bytesMax) resolve(refused('too-large', 413))
      else if (!budget.take(chunk.length)) resolve(refused('away', 503))
      else {
        exchange.bytesHeld += chunk.length
        chunks.push(chunk)
        push(chunk)
      }
      return true
    }
    req.once('close', () => resolve(refused('incomplete', 400)))
  })
}
