import { publicAddress } from '../auth/web.ts'
import { systemClock } from '../base/clock.ts'
import { uuidv7Ids } from '../base/ids.ts'
import type { Administering } from '../cli/administering.ts'
import { type Config, environmentOf, isLocalUrl, publicUrl } from '../config/config.ts'
import { engineOf } from '../engines.ts'
import { shareInProcess } from '../nodes/in-process.ts'
import type { Shared } from '../nodes/shared.ts'
import { composeAccounts, madeKek } from './accounts.ts'
import { loadDefinitions } from './definitions.ts'
import { records } from './records.ts'
import { loadRoles } from './roles.ts'

/** The store and the keys of its accounts, for the verbs that administer it. Servers that use it hear of changes over Redis, or look within 5 seconds. */
export const composeAdministration = async (config: Config): Promise<Administering> => {
  const definitions = loadDefinitions()
  const roles = loadRoles(config, definitions)
  await using opened = new AsyncDisposableStack()
  const store = opened.use(await engineOf(config).open({ definitions, records, clock: systemClock, config }))
  const shared = opened.use(await shareWith(config))
  const accounts = await composeAccounts({ config, store, shared, ids: uuidv7Ids(systemClock) })
  const production = environmentOf(config) === 'production'
  const kekFile = config.authKek === undefined && config.authKekFile === undefined ? madeKek(config) : undefined
  const held = opened.move()
  return {
    ground: accounts.ground,
    accounts,
    keys: accounts.keys,
    roles,
    registration: { definitions, roles, production },
    address: publicAddress(publicUrl(config)),
    zone: config.zone,
    forTrials: isLocalUrl(publicUrl(config)) && !production,
    ...(kekFile === undefined ? {} : { kekFile }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

const shareWith = async ({ redisUrl }: Config): Promise<Shared> => {
  if (redisUrl === undefined) return shareInProcess()
  const { shareOverRedis } = await import('../nodes/redis.ts')
  return shareOverRedis({ url: redisUrl, turned: () => undefined })
}
