import { breakGlass } from './break-glass.ts'
import { bundleRequest } from './bundle-request.ts'
import { capabilities } from './capabilities.ts'
import { create } from './create.ts'
import { deleteInteraction } from './delete.ts'
import { historyInstance } from './history-instance.ts'
import { historySystem } from './history-system.ts'
import { historyType } from './history-type.ts'
import type { Interaction } from './parts.ts'
import { patch } from './patch.ts'
import { read } from './read.ts'
import type { InteractionCode } from './request.ts'
import { searchCompartment } from './search-compartment.ts'
import { searchSystem } from './search-system.ts'
import { searchType } from './search-type.ts'
import { update } from './update.ts'
import { vread } from './vread.ts'

/** Every interaction by its code. The one list: `perform` calls them from here, and the CapabilityStatement names what stands here. */
export const interactions = {
  read,
  vread,
  create,
  update,
  patch,
  delete: deleteInteraction,
  'history-instance': historyInstance,
  'history-type': historyType,
  'history-system': historySystem,
  'search-type': searchType,
  'search-system': searchSystem,
  'search-compartment': searchCompartment,
  capabilities,
  batch: bundleRequest,
  transaction: bundleRequest,
  '$break-glass': breakGlass,
} satisfies Record<InteractionCode, Interaction>
