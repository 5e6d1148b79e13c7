import { existsSync, linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Outcome } from '../../base/outcome.ts'
import type { AuthStore } from '../record-plans.ts'
import type { RandomBytes } from '../secrets.ts'
import { type KeyEncryptionKey, kekBytes, readKek } from './key-encryption-key.ts'
import { makeKekFile, readKekFile } from './key-file.ts'
import { type Keyring, KeyringRefused, keyringRecords, opensKeyring } from './keyring.ts'

export type KekSources = {
  /** The key itself, as a variable gives it. */
  readonly kek?: string | undefined
  /** A file that holds it, as a variable names it. */
  readonly kekFile?: string | undefined
  /** Where the first start may make one: in the data directory. Absent: one must be given. */
  readonly made?: string | undefined
  readonly store: AuthStore
  readonly random: RandomBytes
}

/** In the data directory, where the first start made it. */
export const kekFileName = 'auth.key'

/** Names the variables, for whoever reads why a start was refused. */
const kekVariables = { kek: 'SIMPUL_AUTH_KEK', kekFile: 'SIMPUL_AUTH_KEK_FILE' } as const

/**
 * The key encryption key of this installation. Throws `KeyringRefused` when none is given and none may be made, when the file is open to everybody on the
 * machine, or holds no key; and when the store has a keyring already whose key is not there any more, for a new one would open nothing.
 */
export const findKek = async ({ kek, kekFile, made, store, random }: KekSources): Promise<KeyEncryptionKey> => {
  if (kek !== undefined && kekFile !== undefined)
    throw new KeyringRefused('no-kek', `${kekVariables.kek} and ${kekVariables.kekFile} are both set; name one key encryption key.`)
  if (kek !== undefined) return kekOfText(kek)
  if (kekFile !== undefined) return readKekFile(kekFile)
  if (made === undefined)
    throw new KeyringRefused(
      'no-kek',
      `Several machines may use this store, so the key encryption key is given to each: set ${kekVariables.kekFile} (or ${kekVariables.kek}) to ${kekBytes} random bytes in base64, the same everywhere.`,
    )
  await finishReplacing(made, store)
  if (!existsSync(made)) {
    if ((await store.records(keyringRecords).range('key', { limit: 1 })).rows.length > 0)
      throw new KeyringRefused(
        'no-kek',
        `The key encryption key in ${made} is gone; restore it: without it nothing that is encrypted opens.`,
      )
    makeOnce(made, random)
  }
  return readKekFile(made)
}

const kekOfText = (text: string): KeyEncryptionKey => {
  const kek = readKek(text)
  if (kek === undefined)
    throw new KeyringRefused('no-kek', `${kekVariables.kek} holds no key: it takes ${kekBytes} bytes in base64 or hexadecimal.`)
  return kek
}

/** Several processes may begin at once: the first wins, and nobody reads half a key. */
const makeOnce = (path: string, random: RandomBytes): void => {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  makeKekFile(draft, random)
  try {
    linkSync(draft, path)
  } catch (error) {
    if (!Error.isError(error) || (error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
}

const nextOf = (path: string): string => `${path}.next`

/**
 * Puts a new key encryption key in the place of the one in a file, and wraps all data keys with it: cut at any moment, the next start finds the right one. Other
 * processes go on with the keys they have open; whoever keeps copies of the file makes new ones.
 */
export const replaceKekFile = async (keyring: Keyring, path: string, random: RandomBytes): Promise<Outcome<void>> => {
  rmSync(nextOf(path), { force: true })
  makeKekFile(nextOf(path), random)
  const done = await keyring.rotateKek(readKekFile(nextOf(path)))
  if (done.ok) renameSync(nextOf(path), path)
  return done
}

/** A replacement that was cut: the new key is the right one as soon as the keyring is wrapped with it. */
const finishReplacing = async (path: string, store: AuthStore): Promise<void> => {
  if (existsSync(nextOf(path)) && (await opensKeyring(store, readKekFile(nextOf(path))))) renameSync(nextOf(path), path)
}
