/**
 * Whether a text of 16 digits reads as an NIK, the national identity number: six digits of region (provinces 11 to 99), the day of
 * birth (plus 40 for women), month and year of birth, a serial number.
 */
export const looksLikeNik = (text: string): boolean => {
  if (!/^[1-9]\d{15}$/.test(text)) return false
  const province = Number(text.slice(0, 2))
  const day = Number(text.slice(6, 8)) % 40
  const month = Number(text.slice(8, 10))
  return province >= 11 && Number(text.slice(6, 8)) <= 71 && day >= 1 && day <= 31 && month >= 1 && month <= 12
}
