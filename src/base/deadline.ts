/** How long one request may take, and whether anybody still waits for it. One object travels with the request. */
export type Deadline = {
  /** Instant on the monotonic clock (`performance.now()`), in milliseconds. */
  readonly endsAtMs: number
  /** Aborted when the client left. */
  readonly signal?: AbortSignal
}

export const deadlineIn = (ms: number, signal?: AbortSignal): Deadline => ({
  endsAtMs: performance.now() + ms,
  ...(signal ? { signal } : {}),
})

export const isOver = (deadline: Deadline): boolean => deadline.signal?.aborted === true || performance.now() >= deadline.endsAtMs
