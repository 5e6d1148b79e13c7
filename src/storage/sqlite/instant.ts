/** `2026-11-21T14:30:00.123+00:00`, as long as the placeholder in `meta.lastUpdated`. */
export const instantText = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}+00:00`

/** Writes the instant over the placeholder. */
export const writeInstant = (text: Uint8Array, offset: number, ms: number): void => {
  Buffer.from(text.buffer, text.byteOffset, text.byteLength).write(instantText(ms), offset, 'latin1')
}
