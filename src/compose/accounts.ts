import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { AccountParts } from '../auth/account-parts.ts'
import { endingTopics } from '../auth/endings.ts'
import { isGrantNews } from '../auth/grants/consent-mirror.ts'
import type { Ground } from '../auth/ground.ts'
import { findKek, kekFileName } from '../auth/keys/find-kek.ts'
import { type Keys, openKeys } from '../auth/keys/open-keys.ts'
import { createSpraying } from '../auth/lockout/spraying.ts'
import { mailsBeside } from '../auth/pages/mails/outbox.ts'
import { createPasswordHashing } from '../auth/passwords/hashing.ts'
import { endsSessions, logoutsBeside } from '../auth/sessions/logout-notice.ts'
import { systemClock } from '../base/clock.ts'
import type { Ids } from '../base/ids.ts'
import type { Config } from '../config/config.ts'
import type { Shared } from '../nodes/shared.ts'
import type { Store } from '../storage/port.ts'
import { opened } from './opened.ts'

/** Accounts and the keys that protect them: what sign-in and the verbs of administration both work on. */
export type ComposedAccounts = AccountParts & { readonly keys: Keys }

export type AccountsParts = { readonly config: Config; readonly store: Store; readonly shared: Pick<Shared, 'wake'>; readonly ids: Ids }

/** Opens the keys, and makes them at the first start. Throws what keeps a server from starting, as a sentence. */
export const composeAccounts = async ({ config, store, shared, ids }: AccountsParts): Promise<ComposedAccounts> => {
  const kek = await findKek({ kek: config.authKek, kekFile: config.authKekFile, made: madeKek(config), store, random: randomBytes })
  const keys = opened(await openKeys({ store, kek, clock: systemClock, random: randomBytes }))
  const base = { store, clock: systemClock, ids, random: randomBytes, fields: keys.fields, hash: keys.hash }
  const [mails, logouts] = [mailsBeside(base), logoutsBeside(base)]
  const ground: Ground = {
    ...base,
    beside: (facts, origin) => [...mails(facts, origin), ...logouts(facts)],
    told: facts => {
      for (const topic of endingTopics(facts)) shared.wake(topic)
      if (facts.some(isGrantNews)) shared.wake('grants')
      if (facts.some(endsSessions)) shared.wake('logouts')
    },
  }
  return {
    keys,
    ground,
    hashing: createPasswordHashing(keys.keyring, randomBytes),
    spraying: createSpraying(systemClock),
    rules: {
      passwordDays: config.passwordDays,
      passwordClasses: config.passwordClasses === 'on',
      sessionsMax: config.sessionsMax,
      idleMinutes: config.idleMinutes,
      facility: config.facility,
      zone: config.zone,
    },
  }
}

/** Where the first start makes one. Another machine that shares the store is refused until it has a copy, since its own would open nothing. */
export const madeKek = (config: Config): string => join(config.dataDir, kekFileName)
