import { jest } from '@jest/globals'

const fakeable = [
  'Date',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const

/** Only these are as the test says; everything else runs as ever, so that sockets and stores do. `jest.useRealTimers` ends it. */
export const fakeOnly = (faked: readonly (typeof fakeable)[number][], now = Date.now()): typeof jest =>
  jest.useFakeTimers({ now, doNotFake: fakeable.filter(one => !faked.includes(one)) })
