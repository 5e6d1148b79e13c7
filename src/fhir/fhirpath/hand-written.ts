import { isObject, type JsonObject } from './walk.ts'

/**
 * Parameters whose published expression a typed engine cannot follow, by URL, as functions from the resource to its values.
 * `Patient.deceased != false` compares a dateTime with a boolean: a death date says deceased as much as `true` does.
 */
export const handWritten: Readonly<Record<string, (resource: JsonObject) => readonly boolean[]>> = {
  'http://hl7.org/fhir/SearchParameter/Patient-deceased': patient => [
    patient.deceasedBoolean === true || typeof patient.deceasedDateTime === 'string' || isObject(patient._deceasedDateTime),
  ],
}
