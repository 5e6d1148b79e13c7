import type { RecordDefinition } from '../../storage/port.ts'

/** A logout token that came, for as long as it could come again. */
export type LogoutTokenSeen = { readonly id: string; readonly expires: number }

export const logoutTokenRecords: RecordDefinition = { name: 'idp_logout', key: 'id', expires: 'expires' }
