import type { Caller } from './callers.ts'
import type { Hospitals } from './hospitals.ts'
import type { Seen } from './oracle.ts'
import type { ClosedServer, Received, Sent } from './server.ts'

/** Goes and asks as a caller, and looks at every byte that comes back. */
export type Walker = {
  readonly caller: Caller
  readonly seen: Seen
  /** Asks with one of his tokens; what must not stand in the answer is noted among `leaks`. Paths are below the base of the API. */
  ask(way: string, sent: Sent): Promise<Received>
}

/** What was asked, and what went wrong; without anything of any record. */
export type Tally = {
  readonly asked: Map<string, number>
  readonly leaks: string[]
}

export const newTally = (): Tally => ({ asked: new Map(), leaks: [] })

/** So much is told of what went wrong. */
const leaksMax = 200

export const leak = ({ leaks }: Tally, text: string): void => void (leaks.length < leaksMax && leaks.push(text))

export const walkerOf = (server: ClosedServer, hospitals: Hospitals, caller: Caller, seen: Seen, tally: Tally): Walker => {
  let turn = 0
  return {
    caller,
    seen,
    ask: async (way, sent) => {
      turn += 1
      const token = caller.tokens[turn % caller.tokens.length]
      const headers = { authorization: `Bearer ${token}`, ...sent.headers }
      const received = await server.send({ ...sent, path: `/fhir${sent.path.startsWith('?') ? '/' : ''}${sent.path}`, headers })
      tally.asked.set(way, (tally.asked.get(way) ?? 0) + 1)
      const foreign = foreignIn(received, sent, hospitals, seen)
      if (foreign.length > 0)
        leak(tally, `${caller.name}: ${way}: ${sent.method ?? 'GET'} ${sent.path} shows ${foreign.slice(0, 5).join(' ')}`)
      if (received.status >= 500 && received.status !== 501)
        leak(tally, `${caller.name}: ${way}: ${sent.method ?? 'GET'} ${sent.path} fails with ${received.status}`)
      if (received.status === 429) leak(tally, `${way}: the walk goes too fast for its tokens`)
      return received
    },
  }
}

/** Ids and words that neither the caller may see nor named himself. Bytes of Binaries are searched as well as the JSON that carries them. */
const foreignIn = ({ headers, text }: Received, sent: Sent, hospitals: Hospitals, { words }: Seen): readonly string[] => {
  const said = hospitals.wordsIn(decodeURIComponent(`${sent.path} ${JSON.stringify(sent.headers ?? {})}`) + String(sent.body ?? ''))
  const heard = hospitals.wordsIn(`${JSON.stringify(headers)} ${text} ${decoded(text)}`)
  return [...heard].filter(word => !words.has(word) && !said.has(word))
}

const decoded = (text: string): string =>
  [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1')).join(' ')

/** Where two texts part. */
export const difference = (a: string, b: string): string => {
  const at = [...a].findIndex((sign, index) => sign !== b[index])
  const from = Math.max(0, (at < 0 ? a.length : at) - 60)
  return `${a.slice(0, 5)} ${a.slice(from, from + 240)} but ${b.slice(0, 5)} ${b.slice(from, from + 240)}`
}
