import { type Config, everyone, withoutCredentials } from '../config/config.ts'
import type { Figures } from '../telemetry/metrics.ts'

/** A composed server, as far as the verbs need it. Disposing finishes what is under way. */
export type Application = AsyncDisposable & {
  /** Listens and answers the URL it is reached at, without a slash at the end. */
  listen(): Promise<string>
  /** Whether this process by itself takes traffic. */
  ready(): boolean
  /** From now on it says that it is not ready, and goes on. */
  drain(): void
  figures(): Promise<Figures>
}

/** Resolves when the process is asked to end (SIGINT, SIGTERM). */
export type UntilStopped = () => Promise<void>

/** What people are told when the server listens. */
export const greeting = (config: Config, url: string): readonly string[] => [
  `Simpul listens on ${url}/fhir. SIMPUL_AUTH=off: ${everyone(config)} may read and change everything.`,
  `Data: ${withoutCredentials(config.store ?? `sqlite:${config.dataDir}/simpul.db`)}`,
]

export const stoppingLine = 'Stopping: requests under way are finished first.'
