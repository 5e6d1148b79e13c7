import { readFileSync, statSync, writeFileSync } from 'node:fs'
import type { RandomBytes } from '../secrets.ts'
import { type KeyEncryptionKey, kekBytes, readKek } from './key-encryption-key.ts'
import { KeyringRefused } from './keyring.ts'

const readableByAll = 0o004

/** The key encryption key in a file. Throws `KeyringRefused`, naming the file and what mends it, when it is missing, open to everybody or no key. */
export const readKekFile = (path: string): KeyEncryptionKey => {
  const { mode } = statOf(path)
  if ((mode & readableByAll) !== 0)
    throw new KeyringRefused('no-kek', `Everybody on this machine can read the key encryption key in ${path}; make it: chmod o-rwx ${path}`)
  const kek = readKek(textOf(path))
  if (kek === undefined)
    throw new KeyringRefused('no-kek', `The file ${path} holds no key encryption key: ${kekBytes} bytes in base64 or hexadecimal.`)
  return kek
}

/** Makes a new key in a file that only its owner reads. Throws when there is one: another key would open nothing of what is encrypted. */
export const makeKekFile = (path: string, random: RandomBytes): void =>
  writeFileSync(path, `${random(kekBytes).toString('base64')}\n`, { flag: 'wx', mode: 0o600 })

const statOf = (path: string): { readonly mode: number } => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new KeyringRefused('no-kek', `There is no key encryption key in ${path}.`)
  return found
}

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new KeyringRefused(
      'no-kek',
      `The key encryption key in ${path} cannot be read: it has to be a file that the server's user may read.`,
    )
  }
}
