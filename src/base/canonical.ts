/** Base of the canonical URLs that are our own (code systems, identifier systems, operations), until the operator's domain replaces it. */
export const canonicalBase = 'https://simpul.example/fhir'
