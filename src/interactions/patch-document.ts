/** A patch, read but not yet applied. */
export type PatchDocument = { readonly kind: 'json-patch' | 'merge-patch' | 'fhirpath-patch'; readonly value: unknown }
