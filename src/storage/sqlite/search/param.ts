import type { ParamRef } from '../../../search/tree.ts'
import type { Reading } from './reading.ts'

/** Number of a parameter; undefined when no resource has a value for it. */
export const param = ({ type, code }: ParamRef, { dictionary }: Reading): number | undefined => dictionary.param(type, code)
