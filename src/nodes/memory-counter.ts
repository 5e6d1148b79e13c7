import type { Limit, Use } from './shared.ts'

/** Keys counted one by one within a window; those beyond share a counter, so that addresses without number cannot fill the memory. */
const keysMax = 50_000
const others = 'others'

type Window = { used: number; endsAtMs: number }

/** Counts in this process, without anything to wait for: every request with a token is counted. Of the library's own there is a timer for each key, and no bound. */
export const memoryCounter = ({ most, windowSeconds }: Limit): ((key: string) => Use) => {
  const windows = new Map<string, Window>()
  const windowOf = (key: string, nowMs: number): Window => {
    const known = windows.get(key)
    if (known !== undefined) return known
    if (windows.size >= keysMax) forgetEnded(windows, nowMs)
    const window: Window = { used: 0, endsAtMs: nowMs + windowSeconds * 1000 }
    // One more than there may be: that of the others.
    if (windows.size < keysMax || key === others) windows.set(key, window)
    return windows.get(key) ?? windowOf(others, nowMs)
  }
  return key => {
    // Whole ones, whose differences are exact.
    const nowMs = Math.floor(performance.now())
    const window = windowOf(key, nowMs)
    if (nowMs >= window.endsAtMs) Object.assign(window, { used: 0, endsAtMs: nowMs + windowSeconds * 1000 })
    window.used += 1
    return { allowed: window.used <= most, remaining: Math.max(0, most - window.used), resetMs: window.endsAtMs - nowMs }
  }
}

const forgetEnded = (windows: Map<string, Window>, nowMs: number): void => {
  for (const [key, { endsAtMs }] of windows) if (endsAtMs <= nowMs) windows.delete(key)
}
