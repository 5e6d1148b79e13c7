import { systemClock } from '../base/clock.ts'
import type { CopyParts } from '../cli/copy.ts'
import { copyRecords } from '../cli/copy-admission.ts'
import { type Config, withoutCredentials } from '../config/config.ts'
import { engineAt } from '../engines.ts'
import { createIndexer } from '../search/index-values.ts'
import { StoreUnusable } from '../storage/unusable.ts'
import { loadDefinitions } from './definitions.ts'
import { records } from './records.ts'
import { settingsOf } from './settings.ts'

/** Two stores for `simpul copy`: the one is only read, the other is new or a copy already. Throws `StoreUnusable` where they cannot be copied. */
export const composeCopy = async (config: Config, from: string, to: string): Promise<CopyParts & AsyncDisposable> => {
  const [source, target] = [engineAt(from), engineAt(to)]
  if ((await source.identity()) === (await target.identity()))
    throw new StoreUnusable('refused', 'Source and target are one and the same store.')
  await mustBeNewOrUpToDate(target)
  const definitions = loadDefinitions()
  const parts = { definitions, records: [...records, copyRecords], clock: systemClock, config }
  const read = await source.read(parts)
  try {
    const written = await target.open(parts)
    return {
      source: read,
      target: written,
      from: withoutCredentials(from),
      index: createIndexer(definitions, settingsOf(config)),
      limits: config.limits,
      [Symbol.asyncDispose]: async () => {
        await written[Symbol.asyncDispose]()
        await read[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await read[Symbol.asyncDispose]()
    throw error
  }
}

const mustBeNewOrUpToDate = async (target: ReturnType<typeof engineAt>): Promise<void> => {
  await using migrations = await target.migrations()
  const states = await migrations.status()
  const pending = states.filter(({ state }) => state === 'pending')
  if (pending.length > 0 && pending.length < states.length)
    throw new StoreUnusable('refused', 'The target lacks migrations: "npx simpul migrate up" does them.')
}
