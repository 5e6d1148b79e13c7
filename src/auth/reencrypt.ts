import { type Outcome, ok } from '../base/outcome.ts'
import { reencryptAccounts } from './accounts/reencrypt.ts'
import { type Client, clientRecords } from './clients/client.ts'
import { secretPlace } from './clients/registry.ts'
import { wordsOf } from './emergencies/break-glass.ts'
import { type Emergency, emergencyRecords, withNotice } from './emergencies/emergency.ts'
import { reasonOf } from './emergencies/notice.ts'
import { reencryptProviders } from './federation/reencrypt-providers.ts'
import type { Ground } from './ground.ts'
import { type Reencrypted, reencryptRecords, summed } from './keys/reencrypt.ts'
import { reencryptSigningKeys } from './keys/signing-keys.ts'

/** Everything that lives long and is encrypted, under the current data key. What lives for minutes goes with the old one. @see auth.md 11 */
export const reencryptEverything = async (ground: Ground): Promise<Outcome<Reencrypted>> => {
  const parts: Reencrypted[] = []
  for (const reencrypt of [reencryptAccounts, reencryptClients, reencryptSigningKeys, reencryptEmergencies, reencryptProviders]) {
    const done = await reencrypt(ground)
    if (!done.ok) return done
    parts.push(done.value)
  }
  return ok(summed(parts))
}

const reencryptEmergencies = (ground: Ground): Promise<Outcome<Reencrypted>> =>
  reencryptRecords<Emergency>(ground, emergencyRecords, async (value, renew) => {
    const { words, notice, ...emergency } = withNotice({ value }).value
    const { postponed } = notice
    const renewed = await renew(words, wordsOf(emergency.id))
    const reason = postponed === undefined ? undefined : await renew(postponed.reason, reasonOf(emergency.id))
    if (renewed === undefined && reason === undefined) return undefined
    const after = postponed === undefined ? notice : { ...notice, postponed: { ...postponed, reason: reason ?? postponed.reason } }
    return { ...emergency, words: renewed ?? words, notice: after }
  })

const reencryptClients = (ground: Ground): Promise<Outcome<Reencrypted>> =>
  reencryptRecords<Client>(ground, clientRecords, async (client, renew) => {
    const renewed = await Promise.all(client.secrets.map(({ id, sealed }) => renew(sealed, secretPlace(client.id, id))))
    if (renewed.every(sealed => sealed === undefined)) return undefined
    return { ...client, secrets: client.secrets.map((secret, index) => ({ ...secret, sealed: renewed[index] ?? secret.sealed })) }
  })
