/** Places in braces of a sentence: `{type}/{id}`. */
export type Places<T extends string> = T extends `${string}{${infer P}}${infer Rest}` ? P | Places<Rest> : never

/** `text` with every place that `values` knows filled; a value is written as `shown` says. */
export const filled = <T>(text: string, values: Readonly<Record<string, T>>, shown: (value: T) => string): string =>
  text.replace(/\{(\w+)\}/g, (place, name: string) => {
    const value = values[name]
    return value === undefined ? place : shown(value)
  })
