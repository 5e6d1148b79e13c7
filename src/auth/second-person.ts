/** Whoever runs programs where the store is. Who asks there is taken for nobody in particular, so it approves its own asking only while no account could. */
export const host = 'host'

/** Whether somebody else than who asked looked at it. */
export const isAnother = (by: string, approvedBy: string | undefined): boolean =>
  approvedBy !== undefined && (approvedBy !== by || approvedBy === host)
