import { running } from './start-servers.ts'

/** Jest's global tear-down. */
export default async function stopServers(): Promise<void> {
  await Promise.all(running.splice(0).map(stop => stop()))
}
