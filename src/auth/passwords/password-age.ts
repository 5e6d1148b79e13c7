/** How old a password may get. @see auth.md 2.2 */
export type PasswordAge = { readonly is: 'fresh' } | { readonly is: 'ending'; readonly daysLeft: number } | { readonly is: 'expired' }

const dayMs = 86_400_000
const warnedDays = 14

/** `daysMax` 0: passwords do not age. */
export const passwordAge = (changedAt: number, now: number, daysMax: number): PasswordAge => {
  if (daysMax === 0) return { is: 'fresh' }
  const daysLeft = daysMax - Math.floor((now - changedAt) / dayMs)
  if (daysLeft <= 0) return { is: 'expired' }
  return daysLeft <= warnedDays ? { is: 'ending', daysLeft } : { is: 'fresh' }
}
