/**
 * Each code stands beside the patients it is about: `code#{patient}|{system}|{code}`. Who asks for a code of two hundred patients looked at all ten thousand
 * resources that they have. See src/storage/mongodb/entries.ts.
 */

const codes = { $filter: { input: '$ix.tk', as: 'entry', cond: { $eq: [{ $indexOfBytes: ['$$entry', 'code|'] }, 0] } } }
/** What follows the name of the parameter, mark and all. */
const besides = { $substrBytes: ['$$code', 4, { $subtract: [{ $strLenBytes: '$$code' }, 4] }] }
const ofPatient = { $map: { input: codes, as: 'code', in: { $concat: ['code#', '$$patient', besides] } } }
const missing = { $setDifference: [ofAll(), '$ix.tk'] }

function ofAll(): object {
  const lists = { $map: { input: { $ifNull: ['$patients', []] }, as: 'patient', in: ofPatient } }
  return { $reduce: { input: lists, initialValue: [], in: { $concatArrays: ['$$value', '$$this'] } } }
}

export const codesOfPatients = {
  number: 5,
  name: 'codes of patients',
  types: { rewritten: [{ $set: { 'ix.tk': { $concatArrays: ['$ix.tk', missing] } } }] },
} as const
