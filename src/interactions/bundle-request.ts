import { runBatch } from './batch.ts'
import { readBundle } from './bundle-entries.ts'
import type { Interaction } from './parts.ts'
import { refuseParameters } from './refuse-parameters.ts'
import { readJson } from './resource-body.ts'
import { runTransaction } from './transaction.ts'

/** A Bundle posted to the base: batch or transaction, as its type says. @see https://hl7.org/fhir/R4/http.html#transaction */
export const bundleRequest: Interaction = async (request, call, parts) => {
  const refused = refuseParameters(request.parameters, 'batch')
  if (!refused.ok) return refused
  const json = readJson(request.body, parts)
  if (!json.ok) return json
  const bundle = readBundle(json.value, parts)
  if (!bundle.ok) return bundle
  const { type, entries } = bundle.value
  return type === 'batch' ? runBatch(entries, request, call, parts) : runTransaction(entries, request, call, parts)
}
