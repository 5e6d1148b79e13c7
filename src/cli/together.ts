import type { Duplex } from 'node:stream'
import type { Figures } from '../telemetry/metrics.ts'

/** What the processes of one server say to each other: the *primary* starts, watches and ends *workers*, which serve. */

export type ToWorker =
  /** First of all. `startedAt`: instant (ms) at which the server started, the same for all. */
  | {
      readonly kind: 'begin'
      readonly startedAt: number /** Of all that the primary ever started: who invites where nobody has an account. */
      readonly first: boolean
    }
  /** Whether the server as a whole takes traffic. */
  | { readonly kind: 'ready'; readonly ready: boolean }
  /** Say that you are not ready, and go on. */
  | { readonly kind: 'drain' }
  /** Finish what is under way and end. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'tell'; readonly id: number }
  /** The exposition text that was asked for. */
  | { readonly kind: 'scraped'; readonly id: number; readonly text: string }

export type ToPrimary =
  /** `invitation`: for the terminal of the primary. */
  | { readonly kind: 'listening'; readonly url: string; readonly version: string; readonly invitation?: string }
  /** Every second: the event loop turns. `ready`: by itself. */
  | { readonly kind: 'beat'; readonly ready: boolean }
  | { readonly kind: 'figures'; readonly id: number; readonly figures: Figures }
  /** Somebody asks for the figures of all. */
  | { readonly kind: 'scrape'; readonly id: number }
  /** The last word. */
  | { readonly kind: 'farewell'; readonly figures: Figures }

export const beatMs = 1000

/** The file descriptor at which a worker finds the way to the process that writes, where its engine has one. */
export const writerDescriptor = 4

/** What a worker is composed with. */
export type Together = {
  readonly startedAt: number
  readonly writer: () => Duplex
  readonly ready: () => boolean
  /** The figures of all processes as exposition text. Rejects when they cannot be had. */
  readonly scrape: () => Promise<string>
}

/** What the primary has itself. `join`: takes the plans of the process at the other end; absent where each worker writes itself. */
export type Primary = AsyncDisposable & {
  readonly join?: (pipe: Duplex) => void
  /** Resolves when it can go on no more. */
  readonly broken: Promise<void>
}
