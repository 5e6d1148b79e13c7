/** One example query: path below the base, and what it shows in both languages. */
type Example = { readonly path: string; readonly id: string; readonly en: string }

export const examples: readonly Example[] = [
  { path: 'Patient?name=siti&_sort=birthdate', id: 'Pasien bernama Siti, yang tertua dahulu', en: 'Patients named Siti, oldest first' },
  {
    path: 'Patient?identifier=https://simpul.example/fhir/sid/bpjs/noka|0009990000007',
    id: 'Mencari pasien dengan nomor kartu BPJS',
    en: 'A patient by BPJS card number',
  },
  {
    path: 'Encounter?_count=5&_include=Encounter:subject&_include=Encounter:practitioner',
    id: 'Kunjungan terbaru beserta pasien dan dokternya',
    en: 'Newest encounters with their patients and doctors',
  },
  {
    path: 'Condition?code=http://hl7.org/fhir/sid/icd-10|E11.9&_include=Condition:subject',
    id: 'Semua diagnosis diabetes (ICD-10 E11.9)',
    en: 'All diabetes diagnoses (ICD-10 E11.9)',
  },
  {
    path: 'Observation?code=http://loinc.org|718-7&value-quantity=lt11|http://unitsofmeasure.org|g/dL&_sort=-date',
    id: 'Hemoglobin di bawah 11 g/dL',
    en: 'Haemoglobin below 11 g/dL',
  },
  {
    path: 'Observation?patient.name=budi&category=vital-signs&date=ge2026',
    id: 'Tanda vital tahun ini milik pasien bernama Budi',
    en: "This year's vital signs of patients named Budi",
  },
  {
    path: 'Patient?_has:Condition:patient:code=I10&_summary=true',
    id: 'Pasien dengan hipertensi, ringkas',
    en: 'Patients who have hypertension, in short',
  },
  { path: 'Patient/pasien-001/Observation?_count=10', id: 'Kompartemen seorang pasien', en: "One patient's compartment" },
  { path: 'Patient/pasien-001/_history', id: 'Riwayat versi seorang pasien', en: "A patient's version history" },
  { path: 'Coverage?_total=accurate&_summary=count', id: 'Jumlah peserta jaminan', en: 'How many coverages there are' },
  { path: 'metadata', id: 'Pernyataan kemampuan server', en: 'The capability statement' },
]

const escaped = (text: string): string => text.replace(/[&<>"]/g, found => `&#${found.charCodeAt(0)};`)

const rows = (list: readonly Example[]): string =>
  list
    .map(
      ({ path, id, en }) =>
        `<li><a href="/fhir/${escaped(encodeURI(path))}"><code>${escaped(path)}</code></a><p lang="id">${escaped(id)}</p><p lang="en">${escaped(en)}</p></li>`,
    )
    .join('\n')

const style = `
:root { color-scheme: light dark; --ink: #16302b; --paper: #f7f9f6; --line: #cfdcd4; --accent: #0a6b57; --soft: #4d655e }
@media (prefers-color-scheme: dark) { :root { --ink: #e4efe9; --paper: #101a17; --line: #2c4039; --accent: #6fd3b6; --soft: #a3b8b0 } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem }
h1 { font-size: 2.4rem; margin: 0; letter-spacing: -.02em } h1 small { font-size: 1rem; font-weight: 400; color: var(--soft); letter-spacing: 0 }
h2 { margin: 2.5rem 0 .5rem; font-size: 1.2rem }
.two, li { display: grid; gap: 0 2rem } @media (min-width: 40rem) { .two, li { grid-template-columns: 1fr 1fr } }
.notice { border-left: 4px solid var(--accent); padding: .25rem 1rem; margin: 1.5rem 0 }
ul { list-style: none; padding: 0; margin: 0; border-top: 1px solid var(--line) }
li { padding: .7rem 0; border-bottom: 1px solid var(--line) }
li a { grid-column: 1 / -1 } li p { margin: .1rem 0 0; color: var(--soft) }
a { color: var(--accent) } code { font: .92rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere }
pre { overflow-x: auto; border: 1px solid var(--line); padding: .8rem 1rem }
footer { margin-top: 3rem; color: var(--soft); font-size: .9rem }
`

export type StartPageOptions = {
  readonly version: string
  readonly demo: boolean
  /** Sign-in is on. */
  readonly closed: boolean
  readonly url: string
}

/** The page at `/`: what this is, in both languages, and in the open demo queries that work. No script, nothing from elsewhere. */
export const startPage = (options: StartPageOptions): string => `<!doctype html>
<html lang="id">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Simpul</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Simpul <small>${escaped(options.version)} · FHIR R4 (4.0.1)</small></h1>
<div class="two">
<p lang="id">Server interoperabilitas FHIR R4 untuk layanan kesehatan Indonesia. Alamat FHIR: <a href="/fhir/metadata"><code>${escaped(options.url)}/fhir</code></a>.</p>
<p lang="en">A FHIR R4 interoperability server for Indonesian healthcare. FHIR base: <a href="/fhir/metadata"><code>${escaped(options.url)}/fhir</code></a>.</p>
</div>
${options.closed ? closedPart(options.demo) : options.demo ? demoPart(options.url) : openPart}
<footer lang="en"><span lang="id">Status: <a href="/health">/health</a>.</span> LOINC names are © Regenstrief Institute.</footer>
</main>
</body>
</html>
`

const closedPart = (demo: boolean): string => `<div class="notice two">
<p lang="id">${demo ? 'Ini demo: hanya di komputer ini, dan semua orang di dalamnya rekaan. ' : ''}Pengguna masuk dahulu; aplikasi memakai token akses (<a href="/fhir/.well-known/smart-configuration">SMART on FHIR</a>). <a href="/account">Masuk atau buka akun saya</a>.</p>
<p lang="en">${demo ? 'This is a demo: on this machine only, and everybody in it is invented. ' : ''}People sign in; applications use access tokens (<a href="/fhir/.well-known/smart-configuration">SMART on FHIR</a>). <a href="/account">Sign in or open my account</a>.</p>
</div>`

const openPart = `<div class="notice two">
<p lang="id">Tanpa masuk (SIMPUL_AUTH=off): siapa pun di komputer ini dapat membaca dan mengubah semuanya.</p>
<p lang="en">Without sign-in (SIMPUL_AUTH=off): everyone on this machine may read and change everything.</p>
</div>`

const demoPart = (url: string): string => `<div class="notice two">
<p lang="id">Ini demo: hanya di komputer ini, tanpa masuk, dan semua orang di dalamnya rekaan. Silakan ubah apa saja.</p>
<p lang="en">This is a demo: on this machine only, without sign-in, and everybody in it is invented. Change whatever you like.</p>
</div>
<h2><span lang="id">Contoh yang bisa langsung dicoba</span> · <span lang="en">Examples that work</span></h2>
<ul>
${rows(examples)}
</ul>
<h2><span lang="id">Menulis</span> · <span lang="en">Writing</span></h2>
<pre><code>curl -X POST ${escaped(url)}/fhir/Patient -H 'Content-Type: application/fhir+json' \\
  -d '{"resourceType":"Patient","name":[{"text":"Ayu Lestari"}],"gender":"female","birthDate":"1990-05-17"}'</code></pre>`
