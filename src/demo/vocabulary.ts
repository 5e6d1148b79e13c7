/**
 * Words and numbers the demo people are made of. Names are common Indonesian ones, joined at random; no real person is meant.
 * ICD-10 codes stand without WHO's titles (design decision 9): `text` is our own plain wording. LOINC names (c) Regenstrief Institute.
 */
export const womensNames = [
  'Siti',
  'Dewi',
  'Rina',
  'Ayu',
  'Lestari',
  'Wulan',
  'Fitri',
  'Indah',
  'Kartika',
  'Made',
  'Ningsih',
  'Putri',
  'Ratna',
  'Sri',
  'Yuliana',
  'Mega',
]
export const mensNames = [
  'Budi',
  'Agus',
  'Andi',
  'Bambang',
  'Dedi',
  'Eko',
  'Hendra',
  'Iwan',
  'Joko',
  'Ketut',
  'Muhammad',
  'Rizki',
  'Slamet',
  'Taufik',
  'Wayan',
  'Yusuf',
]
export const familyNames = [
  'Santoso',
  'Wijaya',
  'Hidayat',
  'Saputra',
  'Lubis',
  'Siregar',
  'Nasution',
  'Pratama',
  'Kusuma',
  'Halim',
  'Rahmawati',
  'Setiawan',
  'Simanjuntak',
  'Pangaribuan',
  'Gunawan',
  'Maulana',
]

export const places = [
  { province: 'DKI Jakarta', city: 'Jakarta Selatan', code: '3174', postalCode: '12110' },
  { province: 'Jawa Barat', city: 'Bandung', code: '3273', postalCode: '40115' },
  { province: 'Jawa Tengah', city: 'Semarang', code: '3374', postalCode: '50134' },
  { province: 'Jawa Timur', city: 'Surabaya', code: '3578', postalCode: '60271' },
  { province: 'Bali', city: 'Denpasar', code: '5171', postalCode: '80113' },
  { province: 'Sulawesi Selatan', city: 'Makassar', code: '7371', postalCode: '90111' },
] as const

export const streets = [
  'Jalan Melati',
  'Jalan Kenanga',
  'Jalan Merdeka',
  'Jalan Diponegoro',
  'Jalan Sudirman',
  'Jalan Pahlawan',
  'Jalan Anggrek',
]

export const clinics = [
  { id: 'poli-umum', name: 'Poli Umum' },
  { id: 'poli-penyakit-dalam', name: 'Poli Penyakit Dalam' },
  { id: 'poli-anak', name: 'Poli Anak' },
  { id: 'igd', name: 'Instalasi Gawat Darurat' },
] as const

export const doctors = [
  { id: 'dr-anisa', given: 'Anisa', family: 'Prameswari' },
  { id: 'dr-bayu', given: 'Bayu', family: 'Nugroho' },
  { id: 'dr-citra', given: 'Citra', family: 'Manurung' },
] as const

export const staff = [
  { role: 'doctor', given: 'Dian', family: 'Kusuma' },
  { role: 'nurse', given: 'Nadia', family: 'Siregar' },
  { role: 'pharmacist', given: 'Farid', family: 'Halim' },
  { role: 'receptionist', given: 'Rina', family: 'Wulandari' },
  { role: 'lab', given: 'Laras', family: 'Pertiwi' },
  { role: 'radiology', given: 'Raka', family: 'Saputra' },
  { role: 'billing', given: 'Bella', family: 'Hutapea' },
  { role: 'auditor', given: 'Agus', family: 'Setiawan' },
] as const

export const diagnoses = [
  { code: 'I10', text: 'Tekanan darah tinggi tanpa sebab lain', chronic: true },
  { code: 'E11.9', text: 'Diabetes melitus tipe 2 tanpa komplikasi', chronic: true },
  { code: 'J06.9', text: 'Infeksi saluran napas atas', chronic: false },
  { code: 'A90', text: 'Demam dengue', chronic: false },
  { code: 'A09', text: 'Diare dan radang usus', chronic: false },
  { code: 'K30', text: 'Gangguan lambung', chronic: false },
  { code: 'J45.9', text: 'Asma', chronic: true },
  { code: 'A15.0', text: 'Tuberkulosis paru, terbukti dari dahak', chronic: true },
  { code: 'M54.5', text: 'Nyeri punggung bawah', chronic: false },
] as const

type Measure = {
  readonly loinc: string
  readonly display: string
  readonly text: string
  readonly unit: string
  readonly ucum: string
  readonly low: number
  readonly high: number
  readonly decimals: number
}

export const vitalSigns: readonly Measure[] = [
  {
    loinc: '8480-6',
    display: 'Systolic blood pressure',
    text: 'Tekanan darah sistolik',
    unit: 'mm[Hg]',
    ucum: 'mm[Hg]',
    low: 98,
    high: 168,
    decimals: 0,
  },
  {
    loinc: '8462-4',
    display: 'Diastolic blood pressure',
    text: 'Tekanan darah diastolik',
    unit: 'mm[Hg]',
    ucum: 'mm[Hg]',
    low: 60,
    high: 102,
    decimals: 0,
  },
  {
    loinc: '8867-4',
    display: 'Heart rate',
    text: 'Denyut jantung',
    unit: '{beats}/min',
    ucum: '{beats}/min',
    low: 58,
    high: 112,
    decimals: 0,
  },
  { loinc: '8310-5', display: 'Body temperature', text: 'Suhu tubuh', unit: 'Cel', ucum: 'Cel', low: 36, high: 39.6, decimals: 1 },
  { loinc: '29463-7', display: 'Body weight', text: 'Berat badan', unit: 'kg', ucum: 'kg', low: 42, high: 96, decimals: 1 },
]

export const laboratoryTests: readonly Measure[] = [
  {
    loinc: '718-7',
    display: 'Hemoglobin [Mass/volume] in Blood',
    text: 'Hemoglobin',
    unit: 'g/dL',
    ucum: 'g/dL',
    low: 9.2,
    high: 16.8,
    decimals: 1,
  },
  {
    loinc: '777-3',
    display: 'Platelets [#/volume] in Blood by Automated count',
    text: 'Trombosit',
    unit: '10*3/uL',
    ucum: '10*3/uL',
    low: 48,
    high: 410,
    decimals: 0,
  },
  {
    loinc: '2345-7',
    display: 'Glucose [Mass/volume] in Serum or Plasma',
    text: 'Glukosa darah',
    unit: 'mg/dL',
    ucum: 'mg/dL',
    low: 72,
    high: 268,
    decimals: 0,
  },
  {
    loinc: '2160-0',
    display: 'Creatinine [Mass/volume] in Serum or Plasma',
    text: 'Kreatinin',
    unit: 'mg/dL',
    ucum: 'mg/dL',
    low: 0.5,
    high: 2.2,
    decimals: 2,
  },
]
