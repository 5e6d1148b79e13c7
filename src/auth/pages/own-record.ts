import type { Visit } from './visit.ts'

/** Id of the record of the one who is signed in, when it is of that type. */
export const ownId = ({ live }: Visit, type: string): string | undefined => {
  const reference = live?.account.value.fhirUser
  return reference?.startsWith(`${type}/`) === true ? reference.slice(type.length + 1) : undefined
}
