import { createLogger as createWinston, format, transports } from 'winston'
import { gathered } from './gathered.ts'
import { type LogRecord, redact } from './redact.ts'

/** One JSON object a line. The only file that knows winston. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Logger = {
  readonly write: (level: LogLevel, record: LogRecord) => void
  /** Whether a line of this level would be written: ask before making an expensive one. */
  readonly writes: (level: LogLevel) => boolean
}

const levels: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 }

export type LoggerOptions = {
  readonly level: LogLevel
  readonly version: string
  /** Where lines go; default stdout. */
  readonly stream?: NodeJS.WritableStream
  /** Hears the rule of each redaction. */
  readonly redacted?: (rule: string) => void
}

export const createLogger = ({ level, version, stream = gathered(process.stdout), redacted = () => {} }: LoggerOptions): Logger => {
  const winston = createWinston({
    levels,
    level,
    // The record is whole when it comes; nothing is added on the way.
    format: format.printf(({ level: said, line }) =>
      JSON.stringify({ time: new Date().toISOString(), level: said, version, ...(line as LogRecord) }),
    ),
    transports: [new transports.Stream({ stream })],
    exitOnError: false,
  })
  return {
    write: (said, record) => {
      if (levels[said] <= levels[level]) winston.log({ level: said, message: '', line: redact(record, redacted) })
    },
    writes: said => levels[said] <= levels[level],
  }
}
