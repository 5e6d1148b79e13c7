import { filled, type Places } from './places.ts'
import { clause, type Rule } from './rules.ts'

/** IssueTypes of R4 that we use. @see https://hl7.org/fhir/R4/valueset-issue-type.html */
type IssueType =
  | 'invalid'
  | 'structure'
  | 'required'
  | 'value'
  | 'invariant'
  | 'security'
  | 'login'
  | 'unknown'
  | 'expired'
  | 'forbidden'
  | 'suppressed'
  | 'processing'
  | 'not-supported'
  | 'duplicate'
  | 'multiple-matches'
  | 'not-found'
  | 'deleted'
  | 'too-long'
  | 'code-invalid'
  | 'extension'
  | 'too-costly'
  | 'business-rule'
  | 'conflict'
  | 'transient'
  | 'lock-error'
  | 'no-store'
  | 'exception'
  | 'timeout'
  | 'incomplete'
  | 'throttled'
  | 'informational'

type Row = { readonly status: number; readonly code: IssueType; readonly en: string; readonly id: string }

/**
 * Every way a request can fail, with the status and IssueType it becomes and its sentence in both languages.
 * The key is the message id clients see in `details.coding.code`: stable for ever. Places in braces take names and numbers
 * of the interface (type, id, parameter, element), never values of a record; `{rule}` and `{reason}` take a row of `rules.ts`.
 * Rows of status 200 are warnings beside a success.
 */
export const failureKinds = {
  // the body
  'json-syntax': {
    status: 400,
    code: 'structure',
    en: 'The body is not JSON: {reason} (line {line}, column {column}).',
    id: 'Isi permintaan bukan JSON: {reason} (baris {line}, kolom {column}).',
  },
  'duplicate-member': {
    status: 400,
    code: 'structure',
    en: 'A JSON object holds the member "{member}" twice (line {line}, column {column}).',
    id: 'Sebuah objek JSON memuat anggota "{member}" dua kali (baris {line}, kolom {column}).',
  },
  'not-utf8': { status: 400, code: 'structure', en: 'The body is not UTF-8.', id: 'Isi permintaan bukan UTF-8.' },
  'lone-surrogate': {
    status: 400,
    code: 'structure',
    en: 'A string holds half of a surrogate pair (line {line}, column {column}).',
    id: 'Sebuah string memuat separuh pasangan surrogate (baris {line}, kolom {column}).',
  },
  'too-deep': {
    status: 400,
    code: 'structure',
    en: 'The body is nested deeper than {max} levels.',
    id: 'Isi permintaan bersarang lebih dalam dari {max} tingkat.',
  },
  'empty-body': { status: 400, code: 'structure', en: 'A body is needed here.', id: 'Isi permintaan wajib ada.' },
  'not-an-object': {
    status: 400,
    code: 'structure',
    en: 'The body is a JSON {found}; a FHIR resource is a JSON object.',
    id: 'Isi permintaan adalah {found} JSON; sumber daya FHIR adalah objek JSON.',
  },
  'no-resource-type': {
    status: 400,
    code: 'invalid',
    en: 'The resource has no resourceType.',
    id: 'Sumber daya tidak memiliki resourceType.',
  },
  'unknown-resource-type': {
    status: 400,
    code: 'invalid',
    en: 'The resourceType is not a type of FHIR R4.',
    id: 'resourceType bukan tipe FHIR R4.',
  },
  'wrong-resource-type': {
    status: 400,
    code: 'invalid',
    en: 'The resourceType must be {expected}, as in the URL.',
    id: 'resourceType harus {expected}, seperti pada URL.',
  },
  'id-mismatch': {
    status: 400,
    code: 'invalid',
    en: 'Resource.id must be equal to the id in the URL.',
    id: 'Resource.id harus sama dengan id pada URL.',
  },
  'id-missing': {
    status: 400,
    code: 'invalid',
    en: 'Resource.id is missing; an update needs the id of the URL in the body.',
    id: 'Resource.id tidak ada; pembaruan memerlukan id yang sama dengan URL.',
  },
  'bad-id': {
    status: 400,
    code: 'invalid',
    en: 'An id is 1 to 64 characters out of A-Z, a-z, 0-9, "-" and ".", and not "." or "..".',
    id: 'Id terdiri dari 1 sampai 64 karakter A-Z, a-z, 0-9, "-" dan ".", dan bukan "." atau "..".',
  },

  // the URL
  'bad-url': {
    status: 400,
    code: 'invalid',
    en: 'The URL is not valid percent-encoded UTF-8.',
    id: 'URL bukan UTF-8 dengan persen-encoding yang sah.',
  },
  'unknown-path': {
    status: 404,
    code: 'not-supported',
    en: 'This path is not part of the FHIR API.',
    id: 'Jalur ini bukan bagian dari API FHIR.',
  },
  'unknown-type': {
    status: 404,
    code: 'not-supported',
    en: '{type} is not a resource type of FHIR R4; type names are case-sensitive.',
    id: '{type} bukan tipe sumber daya FHIR R4; nama tipe membedakan huruf besar dan kecil.',
  },
  'unknown-type-suggestion': {
    status: 404,
    code: 'not-supported',
    en: '{type} is not a resource type of FHIR R4; type names are case-sensitive: did you mean {suggestion}?',
    id: '{type} bukan tipe sumber daya FHIR R4; nama tipe membedakan huruf besar dan kecil: maksud Anda {suggestion}?',
  },
  'unknown-operation': {
    status: 404,
    code: 'not-supported',
    en: 'The operation ${operation} is not known here.',
    id: 'Operasi ${operation} tidak dikenal di sini.',
  },
  'impossible-id': {
    status: 404,
    code: 'not-found',
    en: 'No instance can have such an id: an id is 1 to 64 characters out of A-Z, a-z, 0-9, "-" and ".".',
    id: 'Tidak mungkin ada id seperti itu: id terdiri dari 1 sampai 64 karakter A-Z, a-z, 0-9, "-" dan ".".',
  },
  'method-not-allowed': {
    status: 405,
    code: 'not-supported',
    en: 'The method {method} is not allowed here.',
    id: 'Metode {method} tidak diizinkan di sini.',
  },
  'method-override': {
    status: 400,
    code: 'invalid',
    en: 'Method overrides are not honoured; send the method that is meant.',
    id: 'Penggantian metode tidak dilayani; kirim metode yang dimaksud.',
  },
  'base-without-parameters': {
    status: 400,
    code: 'invalid',
    en: 'A search of the whole system needs parameters; see /metadata for what is here.',
    id: 'Pencarian seluruh sistem memerlukan parameter; lihat /metadata.',
  },
  'id-or-criteria-needed': {
    status: 400,
    code: 'required',
    en: 'An id or search criteria are needed.',
    id: 'Diperlukan id atau kriteria pencarian.',
  },
  'not-in-compartment': {
    status: 400,
    code: 'invalid',
    en: '{type} is not in the {compartment} compartment.',
    id: '{type} tidak termasuk kompartemen {compartment}.',
  },

  // headers and parameters
  'not-acceptable': {
    status: 406,
    code: 'not-supported',
    en: 'None of the accepted formats is available; available: {available}.',
    id: 'Tidak ada format yang diminta; tersedia: {available}.',
  },
  'content-type-missing': {
    status: 415,
    code: 'not-supported',
    en: 'A body needs a Content-Type; accepted here: {available}.',
    id: 'Isi permintaan memerlukan Content-Type; diterima di sini: {available}.',
  },
  'content-type-unknown': {
    status: 415,
    code: 'not-supported',
    en: 'This Content-Type is not accepted here; accepted: {available}.',
    id: 'Content-Type ini tidak diterima di sini; diterima: {available}.',
  },
  'charset-unknown': { status: 415, code: 'not-supported', en: 'Only UTF-8 is accepted.', id: 'Hanya UTF-8 yang diterima.' },
  'encoding-unknown': {
    status: 415,
    code: 'not-supported',
    en: 'This Content-Encoding is not accepted; accepted, one at a time: gzip, deflate, br, zstd.',
    id: 'Content-Encoding ini tidak diterima; diterima, satu saja: gzip, deflate, br, zstd.',
  },
  'fhir-version-unknown': {
    status: 415,
    code: 'not-supported',
    en: 'Only fhirVersion=4.0 is accepted.',
    id: 'Hanya fhirVersion=4.0 yang diterima.',
  },
  'bad-header': {
    status: 400,
    code: 'invalid',
    en: 'The header {header} is malformed: {rule}.',
    id: 'Header {header} salah bentuk: {rule}.',
  },
  'repeated-header': {
    status: 400,
    code: 'invalid',
    en: 'The header {header} may be sent only once.',
    id: 'Header {header} hanya boleh dikirim sekali.',
  },
  'unknown-parameter': {
    status: 400,
    code: 'invalid',
    en: '{parameter} is not a parameter of {where}.',
    id: '{parameter} bukan parameter {where}.',
  },
  'unknown-parameter-suggestion': {
    status: 400,
    code: 'invalid',
    en: '{parameter} is not a search parameter of {where}; did you mean {suggestion}?',
    id: '{parameter} bukan parameter pencarian {where}; maksud Anda {suggestion}?',
  },
  'unsupported-parameter': {
    status: 400,
    code: 'not-supported',
    en: 'The parameter {parameter} exists in FHIR R4 but is not supported here.',
    id: 'Parameter {parameter} ada di FHIR R4 tetapi tidak didukung di sini.',
  },
  'unknown-modifier': {
    status: 400,
    code: 'invalid',
    en: 'The modifier :{modifier} does not exist for the parameter {parameter}.',
    id: 'Pengubah :{modifier} tidak ada untuk parameter {parameter}.',
  },
  'unsupported-modifier': {
    status: 400,
    code: 'not-supported',
    en: 'The modifier :{modifier} of the parameter {parameter} is not supported here.',
    id: 'Pengubah :{modifier} untuk parameter {parameter} tidak didukung di sini.',
  },
  'empty-value': {
    status: 400,
    code: 'invalid',
    en: 'The parameter {parameter} has no value.',
    id: 'Parameter {parameter} tidak memiliki nilai.',
  },
  'bad-fhirpath': {
    status: 400,
    code: 'invalid',
    en: 'The FHIRPath expression is malformed at character {at}; expected: {rule}.',
    id: 'Ekspresi FHIRPath salah bentuk pada karakter {at}; diharapkan: {rule}.',
  },
  'unknown-element': {
    status: 400,
    code: 'invalid',
    en: '{element} is not an element of the types that are searched.',
    id: '{element} bukan elemen dari tipe yang dicari.',
  },
  'bad-parameter': {
    status: 400,
    code: 'invalid',
    en: 'The value of the parameter {parameter} is malformed: {rule}.',
    id: 'Nilai parameter {parameter} salah bentuk: {rule}.',
  },
  'repeated-parameter': {
    status: 400,
    code: 'invalid',
    en: 'The parameter {parameter} may be given only once.',
    id: 'Parameter {parameter} hanya boleh diberikan sekali.',
  },
  'parameter-clash': {
    status: 400,
    code: 'invalid',
    en: 'The parameters {first} and {second} do not go together.',
    id: 'Parameter {first} dan {second} tidak dapat dipakai bersama.',
  },
  'too-many-values': {
    status: 400,
    code: 'too-long',
    en: 'The parameter {parameter} has more than {max} values.',
    id: 'Parameter {parameter} memiliki lebih dari {max} nilai.',
  },
  'too-many-parameters': {
    status: 400,
    code: 'too-long',
    en: 'A request has at most {max} parameters.',
    id: 'Satu permintaan memuat paling banyak {max} parameter.',
  },
  'nameless-parameter': {
    status: 400,
    code: 'invalid',
    en: 'A parameter has a value but no name.',
    id: 'Sebuah parameter memiliki nilai tetapi tidak memiliki nama.',
  },
  'bad-cursor': {
    status: 400,
    code: 'invalid',
    en: 'The page link is damaged or belongs to another search.',
    id: 'Tautan halaman rusak atau milik pencarian lain.',
  },
  'expired-cursor': {
    status: 410,
    code: 'expired',
    en: 'The page link has expired; start the search again.',
    id: 'Tautan halaman sudah kedaluwarsa; mulai pencarian lagi.',
  },

  // instances
  'unknown-instance': { status: 404, code: 'not-found', en: '{what} is not known.', id: '{what} tidak ditemukan.' },
  'deleted-instance': { status: 410, code: 'deleted', en: '{what} was deleted.', id: '{what} sudah dihapus.' },
  'update-create-off': {
    status: 405,
    code: 'not-supported',
    en: '{what} is not known, and this server does not let clients choose ids.',
    id: '{what} tidak ditemukan, dan server ini tidak mengizinkan klien memilih id.',
  },
  'version-mismatch': {
    status: 412,
    code: 'conflict',
    en: '{what} is not at the version that If-Match names.',
    id: '{what} tidak berada pada versi yang disebut If-Match.',
  },
  'if-match-required': {
    status: 412,
    code: 'conflict',
    en: 'This server demands If-Match on changes of {what}.',
    id: 'Server ini mewajibkan If-Match untuk perubahan {what}.',
  },
  'already-exists': {
    status: 412,
    code: 'conflict',
    en: '{what} exists, and If-None-Match asked that it should not.',
    id: '{what} sudah ada, padahal If-None-Match meminta sebaliknya.',
  },
  'multiple-matches': {
    status: 412,
    code: 'multiple-matches',
    en: 'The criteria match more than one {type}.',
    id: 'Kriteria cocok dengan lebih dari satu {type}.',
  },
  'too-many-matches': {
    status: 412,
    code: 'multiple-matches',
    en: 'The criteria match {count} instances; at most {max} are deleted at once.',
    id: 'Kriteria cocok dengan {count} instans; paling banyak {max} dihapus sekaligus.',
  },
  'no-match': { status: 404, code: 'not-found', en: 'The criteria match no {type}.', id: 'Kriteria tidak cocok dengan {type} mana pun.' },
  'match-has-other-id': {
    status: 400,
    code: 'invalid',
    en: 'The id in the body is not that of the {type} which the criteria match.',
    id: 'Id dalam isi bukan id {type} yang cocok dengan kriteria.',
  },
  'id-taken': {
    status: 409,
    code: 'duplicate',
    en: '{what} exists and does not match the criteria.',
    id: '{what} sudah ada dan tidak cocok dengan kriteria.',
  },
  'criteria-not-selective': {
    status: 400,
    code: 'invalid',
    en: 'Conditional criteria need at least one search parameter that selects, and no result parameters.',
    id: 'Kriteria bersyarat memerlukan sedikitnya satu parameter pemilih, tanpa parameter hasil.',
  },
  'consent-not-enforceable': {
    status: 422,
    code: 'business-rule',
    en: 'An active privacy Consent is kept only when it can be enforced; {element} says what this server cannot enforce.',
    id: 'Consent privasi yang aktif hanya disimpan bila dapat ditegakkan; {element} menyatakan hal yang tidak dapat ditegakkan server ini.',
  },
  'consent-incomplete': {
    status: 422,
    code: 'required',
    en: 'An active privacy Consent needs {element}: who agreed to what, when, and where that can be seen.',
    id: 'Consent privasi yang aktif memerlukan {element}: siapa menyetujui apa, kapan, dan di mana buktinya.',
  },
  'criteria-not-met': {
    status: 422,
    code: 'processing',
    en: 'The {type} to be written does not match its own criteria; a repeated request would create another.',
    id: '{type} yang akan ditulis tidak cocok dengan kriterianya sendiri; permintaan ulang akan membuat yang baru.',
  },
  'already-done': { status: 409, code: 'duplicate', en: 'This was already taken in.', id: 'Ini sudah pernah diterima.' },
  'write-conflict': {
    status: 409,
    code: 'conflict',
    en: 'Other writes to the same instances kept getting in the way.',
    id: 'Penulisan lain pada instans yang sama terus mendahului.',
  },
  'still-referenced': {
    status: 409,
    code: 'conflict',
    en: '{what} is referred to by {referrers}.',
    id: '{what} masih dirujuk oleh {referrers}.',
  },
  'partial-resource': {
    status: 422,
    code: 'processing',
    en: 'The resource carries the tag SUBSETTED: a partial copy is not stored.',
    id: 'Sumber daya bertanda SUBSETTED: salinan sebagian tidak disimpan.',
  },
  'masked-resource': {
    status: 422,
    code: 'processing',
    en: 'The resource is a masked view (security label REDACTED): it is not stored in place of the whole.',
    id: 'Sumber daya adalah tampilan tersamar (label keamanan REDACTED): tidak disimpan menggantikan yang utuh.',
  },
  'wrong-form': {
    status: 422,
    code: 'structure',
    en: '{element} does not have the form of its FHIR type.',
    id: '{element} tidak sesuai bentuk tipe FHIR-nya.',
  },
  'key-taken': {
    status: 409,
    code: 'duplicate',
    en: 'A unique identifier of the resource belongs to another instance.',
    id: 'Pengenal unik sumber daya sudah dimiliki instans lain.',
  },
  'implicit-rules': {
    status: 422,
    code: 'not-supported',
    en: 'Resource.implicitRules is not supported.',
    id: 'Resource.implicitRules tidak didukung.',
  },
  'nik-as-id': {
    status: 422,
    code: 'business-rule',
    en: 'A client id must not look like an NIK.',
    id: 'Id dari klien tidak boleh menyerupai NIK.',
  },

  // patch
  'patch-document': {
    status: 400,
    code: 'structure',
    en: 'The patch is not a valid document: {rule}.',
    id: 'Dokumen patch tidak sah: {rule}.',
  },
  'patch-failed': {
    status: 422,
    code: 'processing',
    en: 'Patch operation {number} cannot be applied: {rule}.',
    id: 'Operasi patch {number} tidak dapat diterapkan: {rule}.',
  },
  'patch-protected': {
    status: 422,
    code: 'business-rule',
    en: 'A patch must not change {element}.',
    id: 'Patch tidak boleh mengubah {element}.',
  },

  // bundles
  'bundle-type': {
    status: 400,
    code: 'invalid',
    en: 'Only a Bundle of type batch or transaction can be posted here; to store a Bundle, POST it to /Bundle.',
    id: 'Hanya Bundle bertipe batch atau transaction yang dapat dikirim ke sini; untuk menyimpan Bundle, POST ke /Bundle.',
  },
  'bundle-entry': { status: 400, code: 'invalid', en: 'The entry is not usable: {rule}.', id: 'Entri tidak dapat dipakai: {rule}.' },
  'too-many-entries': {
    status: 413,
    code: 'too-long',
    en: 'A {kind} has at most {max} entries; for more, import NDJSON.',
    id: 'Sebuah {kind} memuat paling banyak {max} entri; untuk lebih banyak, impor NDJSON.',
  },
  'duplicate-full-url': {
    status: 400,
    code: 'invalid',
    en: 'The entries {first} and {second} have the same fullUrl.',
    id: 'Entri {first} dan {second} memiliki fullUrl yang sama.',
  },
  'overlapping-entries': {
    status: 400,
    code: 'invalid',
    en: 'The entries {first} and {second} write the same instance.',
    id: 'Entri {first} dan {second} menulis instans yang sama.',
  },
  'unresolved-reference': {
    status: 422,
    code: 'not-found',
    en: 'The reference points to no entry of this Bundle.',
    id: 'Rujukan tidak menunjuk ke entri mana pun dalam Bundle ini.',
  },
  'conditional-reference': {
    status: 412,
    code: 'multiple-matches',
    en: 'The conditional reference matches {count} instances; exactly one is needed.',
    id: 'Rujukan bersyarat cocok dengan {count} instans; harus tepat satu.',
  },

  // limits and time
  'url-too-long': {
    status: 414,
    code: 'too-long',
    en: 'The URL is longer than {max} bytes; use POST _search.',
    id: 'URL lebih panjang dari {max} byte; gunakan POST _search.',
  },
  'headers-too-large': {
    status: 431,
    code: 'too-long',
    en: 'The headers are larger than {max} bytes.',
    id: 'Header lebih besar dari {max} byte.',
  },
  'body-too-large': {
    status: 413,
    code: 'too-long',
    en: 'The body is larger than {max} bytes.',
    id: 'Isi permintaan lebih besar dari {max} byte.',
  },
  'too-many-index-values': {
    status: 422,
    code: 'too-long',
    en: 'The resource has more values to search by than can be kept for one resource.',
    id: 'Sumber daya memiliki lebih banyak nilai pencarian daripada yang dapat disimpan untuk satu sumber daya.',
  },
  'too-large-for-store': {
    status: 413,
    code: 'too-long',
    en: 'What is to be written at once is more than the database holds in memory; send it in several transactions.',
    id: 'Yang akan ditulis sekaligus melebihi yang dapat ditampung basis data di memori; kirim dalam beberapa transaksi.',
  },
  'expands-too-much': {
    status: 413,
    code: 'too-long',
    en: 'The compressed body expands more than {max} times.',
    id: 'Isi terkompresi mengembang lebih dari {max} kali.',
  },
  'bad-compression': {
    status: 400,
    code: 'structure',
    en: 'The body cannot be decompressed as its Content-Encoding says.',
    id: 'Isi permintaan tidak dapat didekompresi sesuai Content-Encoding-nya.',
  },
  'incomplete-body': {
    status: 400,
    code: 'incomplete',
    en: 'The body ended before all of it had arrived.',
    id: 'Isi permintaan berakhir sebelum seluruhnya diterima.',
  },
  'slow-body': { status: 408, code: 'timeout', en: 'The body arrived too slowly.', id: 'Isi permintaan datang terlalu lambat.' },
  'bad-request': {
    status: 400,
    code: 'structure',
    en: 'The bytes received are not an HTTP request.',
    id: 'Byte yang diterima bukan permintaan HTTP.',
  },
  'too-costly': {
    status: 422,
    code: 'too-costly',
    en: 'The request costs more time than it may have; the most expensive part is {parameter}.',
    id: 'Permintaan memerlukan waktu melebihi batas; bagian termahal adalah {parameter}.',
  },
  'waited-too-long': {
    status: 503,
    code: 'timeout',
    en: 'The server was too busy to answer in time.',
    id: 'Server terlalu sibuk untuk menjawab tepat waktu.',
  },
  throttled: {
    status: 429,
    code: 'throttled',
    en: 'More than {most} requests a minute came from one address; try again in {seconds} seconds.',
    id: 'Lebih dari {most} permintaan per menit datang dari satu alamat; coba lagi dalam {seconds} detik.',
  },
  overloaded: {
    status: 503,
    code: 'transient',
    en: 'The server has more work than it can queue; try again soon.',
    id: 'Server kelebihan beban; coba lagi sebentar.',
  },
  'no-store': { status: 503, code: 'no-store', en: 'The store is not available.', id: 'Penyimpanan tidak tersedia.' },
  'disk-full': { status: 507, code: 'no-store', en: 'There is no space left to store anything.', id: 'Ruang penyimpanan habis.' },
  'foreign-host': {
    status: 421,
    code: 'invalid',
    en: 'Without sign-in the server answers only to its own host name.',
    id: 'Tanpa proses masuk, server hanya menjawab nama host-nya sendiri.',
  },

  // access
  'login-needed': { status: 401, code: 'login', en: 'This needs an access token.', id: 'Permintaan ini memerlukan token akses.' },
  'token-invalid': { status: 401, code: 'login', en: 'The access token is not valid.', id: 'Token akses tidak berlaku.' },
  'token-expired': { status: 401, code: 'expired', en: 'The access token has expired.', id: 'Token akses sudah kedaluwarsa.' },
  'step-up-needed': {
    status: 401,
    code: 'login',
    en: 'This needs a second factor that was used within the last 5 minutes.',
    id: 'Ini memerlukan faktor kedua yang dipakai dalam 5 menit terakhir.',
  },
  'insufficient-scope': {
    status: 403,
    code: 'forbidden',
    en: 'The scopes of the access token do not cover this.',
    id: 'Cakupan (scope) token akses tidak mencakup hal ini.',
  },
  'too-many-unknown-tokens': {
    status: 429,
    code: 'throttled',
    en: 'Too many unknown access tokens came from this address.',
    id: 'Terlalu banyak token akses tak dikenal dari alamat ini.',
  },
  'accounts-away': {
    status: 503,
    code: 'transient',
    en: 'Sign-in is not available at the moment.',
    id: 'Layanan masuk sedang tidak tersedia.',
  },
  forbidden: { status: 403, code: 'forbidden', en: 'This is not allowed.', id: 'Ini tidak diizinkan.' },
  'permission-needed': {
    status: 403,
    code: 'forbidden',
    en: 'This needs the permission {permission}.',
    id: 'Ini memerlukan izin {permission}.',
  },
  'too-many-emergencies': {
    status: 409,
    code: 'business-rule',
    en: 'At most {max} patients can be opened by emergency access at once.',
    id: 'Paling banyak {max} pasien dapat dibuka dengan akses darurat pada saat yang sama.',
  },
  'another-person': {
    status: 403,
    code: 'forbidden',
    en: 'Another person has to approve this: neither who asked for it nor whom it is about.',
    id: 'Ini harus disetujui orang lain: bukan yang memintanya dan bukan yang dikenai.',
  },
  'enough-holders': {
    status: 403,
    code: 'forbidden',
    en: 'Two or more accounts hold the permission {permission}; one of them approves this, not the host.',
    id: 'Dua akun atau lebih memegang izin {permission}; salah satunya yang menyetujui, bukan host.',
  },
  'approval-outdated': {
    status: 409,
    code: 'conflict',
    en: 'What was to be approved has changed since it was asked for; ask for it again.',
    id: 'Hal yang akan disetujui sudah berubah sejak diminta; mintalah lagi.',
  },
  'last-holder': {
    status: 409,
    code: 'business-rule',
    en: 'No active account would hold the permission {permission} any more.',
    id: 'Tidak akan ada lagi akun aktif yang memegang izin {permission}.',
  },
  'duty-clash': {
    status: 422,
    code: 'business-rule',
    en: 'One account cannot hold both {duty} and {role}.',
    id: 'Satu akun tidak dapat memegang {duty} dan {role} sekaligus.',
  },
  'wrong-status': {
    status: 409,
    code: 'business-rule',
    en: 'This cannot be done while the status is {status}.',
    id: 'Ini tidak dapat dilakukan selama statusnya {status}.',
  },
  'bad-member': {
    status: 400,
    code: 'invalid',
    en: '{member} is not usable: {rule}.',
    id: '{member} tidak dapat dipakai: {rule}.',
  },
  'not-enabled': {
    status: 501,
    code: 'not-supported',
    en: '{what} is part of FHIR R4 but not enabled here.',
    id: '{what} ada di FHIR R4 tetapi tidak diaktifkan di sini.',
  },
  exception: {
    status: 500,
    code: 'exception',
    en: 'The server met a bug. The request id helps to find it.',
    id: 'Terjadi kesalahan pada server. Id permintaan membantu menemukannya.',
  },

  // beside a success
  'parameter-ignored': {
    status: 200,
    code: 'not-supported',
    en: 'The parameter {parameter} was left out.',
    id: 'Parameter {parameter} diabaikan.',
  },
  'includes-cut': {
    status: 200,
    code: 'too-costly',
    en: 'There are more included resources than the {max} a page may carry; {include} is incomplete.',
    id: 'Sumber daya sertaan melebihi {max} per halaman; {include} tidak lengkap.',
  },
  'break-glass-possible': {
    status: 200,
    code: 'suppressed',
    en: 'This patient’s data is restricted. Emergency access is recorded, reported to the data protection officer and told to the patient.',
    id: 'Data pasien ini dibatasi. Akses darurat dicatat, dilaporkan kepada petugas pelindungan data, dan diberitahukan kepada pasien.',
  },
  'id-ignored': {
    status: 200,
    code: 'informational',
    en: 'The id in the body was ignored; a create gets a new id.',
    id: 'Id dalam isi diabaikan; create mendapat id baru.',
  },
  'bundle-stored': {
    status: 200,
    code: 'informational',
    en: 'The Bundle was stored, not executed; to execute it, POST it to the base URL.',
    id: 'Bundle disimpan, tidak dijalankan; untuk menjalankannya, POST ke URL dasar.',
  },
  'nothing-changed': {
    status: 200,
    code: 'informational',
    en: 'Nothing changed: the content is the same.',
    id: 'Tidak ada perubahan: isinya sama.',
  },
  'more-issues': {
    status: 200,
    code: 'incomplete',
    en: 'There are more issues than the {max} listed here.',
    id: 'Masih ada masalah lain di luar {max} yang tercantum di sini.',
  },
  done: { status: 200, code: 'informational', en: 'Done.', id: 'Selesai.' },
} as const satisfies Record<string, Row>

export type FailureKind = keyof typeof failureKinds

/** Rules have both languages of their own; all other places take a name or a number. A free phrase would be English in an Indonesian sentence. */
type ValueOf<P extends string> = P extends 'rule' | 'reason' ? Rule : P extends 'referrers' ? string | Rule : string | number

/** The values a kind's English sentence asks for. */
export type PlacesOf<K extends FailureKind> = { readonly [P in Places<(typeof failureKinds)[K]['en']>]: ValueOf<P> }

export type FailureValues = Readonly<Record<string, string | number | Rule>>

/** The sentence of `kind` with its places filled. */
export const sentence = (kind: FailureKind, values: FailureValues, language: 'en' | 'id'): string =>
  filled(failureKinds[kind][language], values, value => (typeof value === 'object' ? clause(value, language) : String(value)))
