import type { Meta } from '@medplum/fhirtypes'

/**
 * A resource as its JSON says it, before anything is known of its type. Numbers that a JavaScript number would not keep
 * digit for digit are `Decimal`s (decimal.ts). For a known type use the types of @medplum/fhirtypes.
 */
export type Resource = { resourceType: string; id?: string; meta?: Meta; [member: string]: unknown }
