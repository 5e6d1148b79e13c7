import { type Config, publicUrl } from '../config/config.ts'
import type { Settings } from '../interactions/parts.ts'

/** What an operator chose of the protocol. */
export const settingsOf = (config: Config): Settings => ({
  base: `${publicUrl(config)}/fhir`,
  updateCreate: config.updateCreate === 'on',
  ifMatchRequired: config.ifMatch === 'required',
  deleteReferenced: config.deleteReferenced,
  conditionalDelete: config.conditionalDelete,
  nikAsId: config.idNik === 'allow',
  zone: config.zone,
})
