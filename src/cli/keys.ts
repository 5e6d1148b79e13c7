import type { Fact } from '../auth/facts.ts'
import { commitFacts } from '../auth/ground.ts'
import { replaceKekFile } from '../auth/keys/find-kek.ts'
import { readKekFile } from '../auth/keys/key-file.ts'
import type { KeyPurpose } from '../auth/keys/keyring.ts'
import { reencryptEverything } from '../auth/reencrypt.ts'
import { host } from '../auth/second-person.ts'
import { atHost, failed, type Open } from './administering.ts'
import { exitCodes } from './exit-codes.ts'
import { report, type Terminal } from './terminal.ts'

/** `simpul keys …`: what encrypts, hashes and signs. @see auth.md 11 */

export const keysStatus = async (open: Open, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  for (const { kid, alg, is, signsFrom } of parts.keys.signing.state()) {
    const from = new Date(signsFrom).toISOString()
    report(terminal, { key: 'id-token', kid, alg, is, signsFrom: from }, `id tokens  ${kid}  ${alg}  ${is.padEnd(9)}  from ${from}`)
  }
  for (const purpose of dataPurposes) {
    const ids = parts.keys.keyring.versions(purpose).map(({ id }) => id)
    report(terminal, { key: 'data', purpose, ids }, `${purpose.padEnd(9)}  ${ids.join(' ')}`)
  }
  return exitCodes.good
}

export const dataPurposes = ['fields', 'index', 'pepper', 'cookies', 'forms'] as const satisfies readonly KeyPurpose[]

/** Announces the next key of id tokens; compromised, it takes the place of all others at once. */
export const rotateSigningKey = async (
  open: Open,
  { compromised = false }: { readonly compromised?: boolean },
  terminal: Terminal,
): Promise<number> => {
  const facts: readonly Fact[] = [{ what: 'signing-key-rotated', by: host, ...(compromised && { reason: 'compromised' }) }]
  {
    await using parts = await open()
    const how = compromised ? 'compromised' : 'announced'
    const done = await parts.keys.signing.rotate(how, records => commitFacts(parts.ground, records, facts, atHost))
    if (!done.ok) return failed(terminal, done.failure)
  }
  return keysStatus(open, terminal)
}

/**
 * Wraps all data keys with another key encryption key: one in a file, or a new one in place of the one that the first start made. Values stay as they are;
 * servers go on with what they have open.
 */
export const rotateKek = async (open: Open, { to }: { readonly to?: string }, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const { keyring } = parts.keys
  const { kekFile, ground } = parts
  if (to === undefined && kekFile === undefined) {
    terminal.err(
      'A variable names the key encryption key of this installation: name the file of the next one with --to, then change the variable.',
    )
    return exitCodes.usage
  }
  const done = to === undefined ? await replaceKekFile(keyring, kekFile ?? '', ground.random) : await keyring.rotateKek(readKekFile(to))
  if (!done.ok) return failed(terminal, done.failure)
  const told = await commitFacts(ground, [], [{ what: 'kek-rotated', by: host }], atHost)
  if (!told.ok) return failed(terminal, told.failure)
  report(
    terminal,
    { done: true, file: to ?? kekFile },
    to === undefined
      ? `${kekFile} holds the new key; replace the copies that you keep of it.`
      : `From now on this installation starts with the key in ${to} alone: change the variable that names it on every machine.`,
  )
  return exitCodes.good
}

/** A new data key: new values use it, and what was encrypted before is encrypted anew. Run again, it goes on where it was cut. */
export const rotateData = async (open: Open, purpose: KeyPurpose, terminal: Terminal): Promise<number> => {
  await using parts = await open()
  const { ground, keys } = parts
  const rotated = await keys.keyring.rotate(purpose)
  if (!rotated.ok) return failed(terminal, rotated.failure)
  const told = await commitFacts(ground, [], [{ what: 'data-key-rotated', by: host, reason: purpose }], atHost)
  if (!told.ok) return failed(terminal, told.failure)
  if (purpose !== 'fields') {
    report(terminal, { key: rotated.value.id }, `${rotated.value.id} is used from now on; what the keys before made stays valid.`)
    return exitCodes.good
  }
  const done = await reencryptEverything(ground)
  if (!done.ok) return failed(terminal, done.failure)
  const { renewed, missed, unreadable } = done.value
  report(terminal, { key: rotated.value.id, ...done.value }, `${rotated.value.id} is used from now on. Encrypted anew: ${renewed}.`)
  if (missed > 0) terminal.err(`${missed} changed meanwhile; run it again for those.`)
  if (unreadable > 0) terminal.err(`${unreadable} cannot be opened, and stay as they are.`)
  return missed + unreadable === 0 ? exitCodes.good : exitCodes.incomplete
}
