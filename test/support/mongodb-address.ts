import { randomUUID } from 'node:crypto'

/** A database of its own on the server for tests (start-servers.ts). Whoever asks drops it. */
export const mongodbAddress = (name: string): string => {
  const url = new URL(process.env.SIMPUL_TEST_MONGODB_URI ?? '')
  url.pathname = `/test-${name}-${randomUUID().slice(0, 8)}`
  return url.href
}
