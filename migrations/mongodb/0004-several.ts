/**
 * Sort values of parameters that have one value stand in `so` alone; of those that have several the least is `name+` there and the greatest
 * stands in `sd`. A third fewer entries, and none is walked over in vain. See src/storage/mongodb/documents.ts.
 */

const least = { $objectToArray: { $ifNull: ['$ix.so', {}] } }
const greatest = { $objectToArray: { $ifNull: ['$ix.sd', {}] } }
const ofName = (list: object, name: string) => ({ $filter: { input: list, as: 'one', cond: { $eq: ['$$one.k', name] } } })
/** Whether the parameter has another value in the other list. */
const differs = (list: object) => ({
  $let: {
    vars: { other: { $first: ofName(list, '$$sorted.k') } },
    in: { $and: [{ $ne: [{ $type: '$$other' }, 'missing'] }, { $ne: ['$$other.v', '$$sorted.v'] }] },
  },
})
const named = { k: { $cond: [differs(greatest), { $concat: ['$$sorted.k', '+'] }, '$$sorted.k'] }, v: '$$sorted.v' }
const emptied = (field: string) => ({ $cond: [{ $eq: [field, {}] }, '$$REMOVE', field] })

export const several = {
  number: 4,
  name: 'several',
  types: {
    rewritten: [
      {
        $set: {
          'ix.so': { $arrayToObject: { $map: { input: least, as: 'sorted', in: named } } },
          // done before, its least has the other name already
          'ix.sd': {
            $arrayToObject: {
              $filter: {
                input: greatest,
                as: 'sorted',
                cond: { $or: [differs(least), { $eq: [ofName(least, '$$sorted.k'), []] }] },
              },
            },
          },
        },
      },
      { $set: { 'ix.so': emptied('$ix.so'), 'ix.sd': emptied('$ix.sd') } },
    ],
  },
} as const
