/** Purposes of use and the wider ones they belong to. @see https://terminology.hl7.org/CodeSystem-v3-ActReason.html, PurposeOfUse */
const withinPurpose: Readonly<Record<string, string>> = {
  CAREMGT: 'TREAT',
  CLINTRL: 'TREAT',
  ETREAT: 'TREAT',
  POPHLTH: 'TREAT',
  BTG: 'ETREAT',
  ERTREAT: 'ETREAT',
  CLMATTCH: 'HPAYMT',
  COVAUTH: 'HPAYMT',
  COVERAGE: 'HPAYMT',
  ELIGDTRM: 'COVERAGE',
  ELIGVER: 'COVERAGE',
  ENROLLM: 'COVERAGE',
  MILDCRG: 'COVERAGE',
  REMITADV: 'HPAYMT',
  DONAT: 'HOPERAT',
  FRAUD: 'HOPERAT',
  GOV: 'HOPERAT',
  HACCRED: 'HOPERAT',
  HCOMPL: 'HOPERAT',
  HDECD: 'HOPERAT',
  HDIRECT: 'HOPERAT',
  HLEGAL: 'HOPERAT',
  HOUTCMS: 'HOPERAT',
  HPRGRP: 'HOPERAT',
  HQUALIMP: 'HOPERAT',
  HSYSADMIN: 'HOPERAT',
  MEMADMIN: 'HOPERAT',
  PATADMIN: 'HOPERAT',
  PATSFTY: 'HOPERAT',
  PERFMSR: 'HOPERAT',
  RECORDMGT: 'HOPERAT',
  TRAIN: 'HOPERAT',
  BIORCH: 'HRESCH',
  CLINTRCH: 'HRESCH',
  CLINTRCHNPC: 'CLINTRCH',
  CLINTRCHPC: 'CLINTRCH',
  PRECLINTRCH: 'CLINTRCH',
  DSRCH: 'HRESCH',
  POARCH: 'HRESCH',
  TRANSRCH: 'HRESCH',
  FAMRQT: 'PATRQT',
  PWATRNY: 'PATRQT',
  SUPNWK: 'PATRQT',
  DISASTER: 'PUBHLTH',
  THREAT: 'PUBHLTH',
}

/** The purpose and all wider ones; a consent that names one of them speaks of it. */
export const withWiderPurposes = (purpose: string): readonly string[] => {
  const found = [purpose]
  for (let at: string | undefined = purpose; at !== undefined && Object.hasOwn(withinPurpose, at); ) {
    at = withinPurpose[at]
    if (at !== undefined) found.push(at)
  }
  return found
}

/** Treatment, payment and operations, and what patients ask for themselves: what `normal` leaves open inside the facility. */
const ordinary = ['TREAT', 'HPAYMT', 'HOPERAT', 'PATRQT'] as const

export const isOrdinary = (purpose: string): boolean =>
  withWiderPurposes(purpose).some(wide => (ordinary as readonly string[]).includes(wide))
