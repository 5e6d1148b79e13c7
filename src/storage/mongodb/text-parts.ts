/** `simpul.texts`: a part of a text that is larger than a document should be. Written with its version, in one transaction. */
export type TextPart = { readonly _id: string; readonly text: string }

/** Name of a part, `n` from 0: readable in a shell, and found without an index of its own. */
export const partId = (type: string, id: string, versionId: number, n: number): string => `${type}/${id}/${versionId}#${n}`
