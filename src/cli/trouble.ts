import { KeyringRefused } from '../auth/keys/keyring.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import { exitCodes } from './exit-codes.ts'

/** What a verb that broke tells people: one line, what to do, and the exit code. Stack traces are for bugs, and those go to the log. */
export const troubleOf = (error: unknown): { readonly line: string; readonly code: number } => {
  if (error instanceof StoreUnusable) return { line: error.message, code: unusable[error.why] }
  if (error instanceof KeyringRefused) return { line: error.message, code: exitCodes.configuration }
  // What a worker thread threw arrives as a copy that is no Error any more.
  const { code, name, codeName, message = String(error) } = (error ?? {}) as Thrown
  const known = code === undefined ? undefined : remedies[code]
  if (known !== undefined) return known
  // What a database says of a command that it refuses holds the command, and so may hold records.
  if (name !== undefined && /^Mongo(Server|BulkWrite|WriteConcern)Error$/.test(name))
    return unforeseen(`MongoDB error ${codeName ?? code ?? '?'}`)
  return unforeseen(message)
}

type Thrown = { readonly code?: string; readonly name?: string; readonly codeName?: string; readonly message?: string }

const unforeseen = (what: string): { readonly line: string; readonly code: number } => ({
  line: `Simpul cannot go on: ${what}. "npx simpul doctor" may know more.`,
  code: exitCodes.failed,
})

/** Says itself what to do. */
const unusable = {
  configuration: exitCodes.configuration,
  access: exitCodes.noAccess,
  unreachable: exitCodes.unreachable,
  refused: exitCodes.refused,
} as const satisfies Record<StoreUnusable['why'], number>

const remedies: Readonly<Record<string, { readonly line: string; readonly code: number }>> = {
  EADDRINUSE: {
    line: 'The port is taken, perhaps by another Simpul. Stop it, or set SIMPUL_PORT to another one.',
    code: exitCodes.refused,
  },
  EACCES: { line: 'A file, folder or port may not be used by this user. "npx simpul doctor" names it.', code: exitCodes.refused },
  ENOSPC: { line: 'The disk is full.', code: exitCodes.failed },
  EROFS: { line: 'SIMPUL_DATA_DIR lies on a file system that cannot be written.', code: exitCodes.failed },
}
