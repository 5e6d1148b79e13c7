import { filled, type Places } from './places.ts'

type Row = { readonly en: string; readonly id: string }

/**
 * What a failure's sentence says was expected or went wrong, in both languages: it fills the places `{rule}` and `{reason}` of
 * `failure-kinds.ts`. Clauses without capital and full stop. Places in braces take names and numbers of the interface, never values of a record.
 */
// biome-ignore format: a table
export const rules = {
  // values of parameters
  'one-of': { en: 'it takes one of {words}', id: 'nilainya salah satu dari {words}' },
  'whole-number': { en: 'it takes a whole number from 0 on', id: 'nilainya bilangan bulat mulai dari 0' },
  'instant-or-date': { en: 'it takes an instant or a date', id: 'nilainya instant atau tanggal' },
  'type-list': { en: 'it takes resource types of FHIR R4, with commas between', id: 'nilainya tipe sumber daya FHIR R4, dipisahkan koma' },
  'no-name': { en: 'it has no name', id: 'parameternya tidak memiliki nama' },
  'holds-nul': { en: 'it holds the character U+0000', id: 'nilainya memuat karakter U+0000' },
  'id-form': { en: 'an id is 1 to 64 characters out of A-Z, a-z, 0-9, "-" and "."', id: 'id terdiri dari 1 sampai 64 karakter A-Z, a-z, 0-9, "-" dan "."' },
  'number-form': { en: 'a number is digits, with a point and an exponent if needed, after one of the prefixes eq ne gt lt ge le sa eb ap', id: 'bilangan ditulis dengan angka, bila perlu dengan titik dan eksponen, setelah salah satu awalan eq ne gt lt ge le sa eb ap' },
  'date-form': { en: 'a date is YYYY, YYYY-MM, YYYY-MM-DD or with a time, after one of the prefixes eq ne gt lt ge le sa eb ap', id: 'tanggal ditulis YYYY, YYYY-MM, YYYY-MM-DD, atau dengan waktu, setelah salah satu awalan eq ne gt lt ge le sa eb ap' },
  'letter-or-digit': { en: 'it needs a letter or a digit', id: 'nilainya harus memuat huruf atau angka' },
  'token-form': { en: 'a token is code, system|code, |code or system|; a bar inside is written \\|', id: 'token ditulis code, system|code, |code, atau system|; garis tegak di dalamnya ditulis \\|' },
  'token-empty': { en: 'a token needs a system or a code', id: 'token memerlukan system atau code' },
  'quantity-form': { en: 'a quantity is number, number|system|code or number||code', id: 'kuantitas ditulis number, number|system|code, atau number||code' },
  'reference-form': { en: 'a reference is id, Type/id or an absolute URL', id: 'rujukan ditulis id, Type/id, atau URL absolut' },
  'reference-type': { en: 'it refers to no resource type of FHIR R4', id: 'yang dirujuk bukan tipe sumber daya FHIR R4' },
  'must-refer-to': { en: 'it must refer to a {type}', id: 'yang dirujuk harus {type}' },
  'composite-parts': { en: 'it needs {count} parts joined by $', id: 'nilainya harus terdiri dari {count} bagian yang dihubungkan dengan $' },
  'composite-part-empty': { en: 'each of its parts needs a value', id: 'setiap bagiannya harus memiliki nilai' },
  'composite-in-composite': { en: 'a composite does not stand in a composite', id: 'parameter gabungan tidak dapat berada di dalam parameter gabungan' },
  'composite-token': { en: 'a token inside a composite needs a code', id: 'token di dalam parameter gabungan memerlukan code' },
  'not-in-composite': { en: 'it cannot stand inside a composite', id: 'nilai ini tidak dapat berada di dalam parameter gabungan' },

  // searches
  'named-type': { en: 'it names no resource type of FHIR R4', id: 'yang disebut bukan tipe sumber daya FHIR R4' },
  'named-type-suggestion': { en: 'it names no resource type of FHIR R4; did you mean {suggestion}', id: 'yang disebut bukan tipe sumber daya FHIR R4; maksud Anda {suggestion}' },
  'sort-form': { en: 'it is a comma list of parameters, each with - in front when descending', id: 'nilainya daftar parameter yang dipisahkan koma, masing-masing diawali - bila menurun' },
  'sort-twice': { en: 'it names a parameter twice', id: 'sebuah parameter disebut dua kali' },
  'sort-at-most': { en: 'it names more than {max} parameters', id: 'parameter yang disebut lebih dari {max}' },
  'sort-kinds': { en: '{parameter} is not of one kind in all types that are searched', id: '{parameter} tidak sejenis di semua tipe yang dicari' },
  'not-sortable': { en: 'a search cannot be sorted by {parameter}', id: 'pencarian tidak dapat diurutkan menurut {parameter}' },
  'chain-steps': { en: 'a search follows at most {max} references', id: 'pencarian mengikuti paling banyak {max} rujukan' },
  'chain-reference': { en: '{parameter} is not a reference, so nothing can be chained to it', id: '{parameter} bukan rujukan, sehingga tidak dapat dirangkai' },
  'has-form': { en: '_has is written _has:Type:reference:parameter', id: '_has ditulis _has:Type:reference:parameter' },
  'has-type': { en: 'the type after _has is not a resource type of FHIR R4', id: 'tipe setelah _has bukan tipe sumber daya FHIR R4' },
  'has-reference': { en: '{parameter} of {source} does not refer to {type}', id: '{parameter} pada {source} tidak merujuk ke {type}' },
  'include-form': { en: 'it is written Type:parameter, Type:parameter:TargetType, Type:* or *', id: 'nilainya ditulis Type:parameter, Type:parameter:TargetType, Type:*, atau *' },
  'include-source': { en: 'it does not start from a resource type of FHIR R4', id: 'awalnya bukan tipe sumber daya FHIR R4' },
  'include-searched-source': { en: 'it must start from a type that is searched; else use :iterate', id: 'awalnya harus tipe yang dicari; jika tidak, gunakan :iterate' },
  'include-target': { en: 'its target is not a resource type of FHIR R4', id: 'sasarannya bukan tipe sumber daya FHIR R4' },
  'include-searched-target': { en: 'it does not refer to a type that is searched', id: 'yang dirujuk bukan tipe yang dicari' },
  'include-reference': { en: 'its parameter is not a reference', id: 'parameternya bukan rujukan' },
  'include-refers-to': { en: 'its parameter does not refer to {type}', id: 'parameternya tidak merujuk ke {type}' },

  // headers
  'etag-form': { en: 'it takes ETags such as W/"3", or *', id: 'nilainya ETag seperti W/"3", atau *' },
  'http-date': { en: 'it takes an HTTP date', id: 'nilainya tanggal HTTP' },
  'use-if-match': { en: 'use If-Match with the ETag', id: 'gunakan If-Match dengan ETag' },
  'reference-such-as': { en: 'it takes a reference such as {example}', id: 'nilainya rujukan seperti {example}' },
  'names-instance': { en: 'it names an instance of this server', id: 'yang disebut harus instans di server ini' },
  'agrees-with': { en: 'it agrees with {element} or is left out', id: 'nilainya harus sama dengan {element} atau tidak dikirim' },
  'at-most-characters': { en: 'at most {max} characters', id: 'paling banyak {max} karakter' },

  // JSON
  'json-after-end': { en: 'something follows after the end of the document', id: 'masih ada sesuatu setelah akhir dokumen' },
  'json-ends-early': { en: 'the text ends where a value is expected', id: 'teks berakhir di tempat yang seharusnya berisi nilai' },
  'json-ends-in-string': { en: 'the text ends inside a string', id: 'teks berakhir di dalam string' },
  'json-number': { en: 'a number is malformed', id: 'sebuah bilangan salah bentuk' },
  'json-long-number': { en: 'a number has more than {max} characters', id: 'sebuah bilangan lebih panjang dari {max} karakter' },
  'json-value': { en: 'a value is expected', id: 'di sini seharusnya ada nilai' },
  'json-escape': { en: 'a string holds an unknown escape', id: 'sebuah string memuat escape yang tidak dikenal' },
  'json-control': { en: 'a string holds a control character that must be escaped', id: 'sebuah string memuat karakter kendali yang harus ditulis sebagai escape' },
  'json-symbol': { en: 'a comma or {symbol} is expected', id: 'di sini seharusnya ada koma atau {symbol}' },
  'json-colon': { en: 'a colon is expected', id: 'di sini seharusnya ada titik dua' },
  'json-member': { en: 'a member name in double quotes is expected', id: 'di sini seharusnya ada nama anggota dalam tanda petik ganda' },
  'json-unreadable': { en: 'it cannot be read', id: 'isinya tidak dapat dibaca' },

  // FHIRPath: what is expected
  'path-token': { en: 'a name, a literal or an operator', id: 'nama, literal, atau operator' },
  'path-escape': { en: 'an escape that FHIRPath has', id: 'escape yang ada di FHIRPath' },
  'path-end': { en: 'the end of the expression', id: 'akhir ekspresi' },
  'path-name': { en: 'a name', id: 'sebuah nama' },
  'path-expression': { en: 'an expression', id: 'sebuah ekspresi' },
  'path-variable': { en: '$this, $index or $total', id: '$this, $index, atau $total' },
  'path-symbol': { en: 'the symbol {symbol}', id: 'simbol {symbol}' },
  'path-levels': { en: 'at most {max} levels', id: 'paling banyak {max} tingkat' },
  'path-steps': { en: 'at most {max} steps in a row', id: 'paling banyak {max} langkah berturut-turut' },
  'path-operators': { en: 'at most {max} operators in a row', id: 'paling banyak {max} operator berturut-turut' },
  'path-evaluable': { en: 'an expression that can be evaluated here', id: 'ekspresi yang dapat dievaluasi di sini' },

  // patch documents
  'json-patch-form': { en: 'a JSON Patch is an array of operations', id: 'JSON Patch adalah larik operasi' },
  'merge-patch-form': { en: 'a JSON Merge Patch of a resource is an object', id: 'JSON Merge Patch untuk sumber daya adalah objek' },
  'path-patch-form': { en: 'a FHIRPath Patch is a Parameters resource', id: 'FHIRPath Patch adalah sumber daya Parameters' },
  'parameter-list': { en: 'parameter is a list', id: 'parameter harus berupa daftar' },
  'at-most-operations': { en: 'it has at most {max} operations', id: 'isinya paling banyak {max} operasi' },
  'operation-object': { en: 'operation {number} is not an object', id: 'operasi {number} bukan objek' },
  'operation-op': { en: 'operation {number} has no known op', id: 'operasi {number} tidak memiliki op yang dikenal' },
  'operation-pointer': { en: 'operation {number} has no {member} that is a JSON Pointer', id: 'operasi {number} tidak memiliki {member} berupa JSON Pointer' },
  'operation-parts': { en: 'operation {number} is not named operation or has no parts', id: 'operasi {number} tidak bernama operation atau tidak memiliki part' },
  'operation-part': { en: 'operation {number} has a part without name or without value', id: 'operasi {number} memiliki part tanpa nama atau tanpa nilai' },
  'operation-part-twice': { en: 'operation {number} has a part twice', id: 'operasi {number} memiliki part yang sama dua kali' },
  'operation-type': { en: 'operation {number} has no known type', id: 'operasi {number} tidak memiliki type yang dikenal' },
  'operation-foreign-part': { en: 'operation {number} of type {type} has a part of another type of operation', id: 'operasi {number} bertipe {type} memiliki part milik tipe operasi lain' },
  'operation-without': { en: 'operation {number} has no {member}', id: 'operasi {number} tidak memiliki {member}' },

  // why a patch operation cannot be applied
  'leads-to-nothing': { en: 'its {member} leads to nothing', id: '{member} tidak menunjuk apa pun' },
  'leads-to-no-place': { en: 'its path leads to nothing that can be changed', id: 'path tidak menunjuk apa pun yang dapat diubah' },
  'leads-to-many': { en: 'its path leads to {count} elements, not to one', id: 'path menunjuk {count} elemen, bukan satu' },
  'leads-to-values': { en: 'its path gives values, not elements of the resource', id: 'path menghasilkan nilai, bukan elemen sumber daya' },
  'leads-to-part-of-list': { en: 'its path does not lead to the whole of one list', id: 'path tidak menunjuk satu daftar secara utuh' },
  'not-evaluable': { en: 'its path cannot be evaluated', id: 'path tidak dapat dievaluasi' },
  'not-of-fhir': { en: 'it names no element of FHIR', id: 'yang disebut bukan elemen FHIR' },
  'no-such-element': { en: 'there is no such element of that data type here', id: 'di sini tidak ada elemen seperti itu dengan tipe data tersebut' },
  'no-resource-here': { en: 'a resource cannot stand here', id: 'sumber daya tidak dapat ditempatkan di sini' },
  'other-data-type': { en: 'the value has another data type than the element', id: 'tipe data nilainya berbeda dari elemennya' },
  'form-of-data-type': { en: 'the value does not have the form of its data type', id: 'nilainya tidak sesuai bentuk tipe datanya' },
  'given-twice': { en: 'an element that does not repeat is given twice', id: 'elemen yang tidak berulang diberikan dua kali' },
  'there-already': { en: 'the element is there already and does not repeat', id: 'elemen sudah ada dan tidak dapat berulang' },
  'index-behind-end': { en: 'its index lies behind the end of the list', id: 'index melewati akhir daftar' },
  'ends-behind-end': { en: 'its source or destination lies behind the end of the list', id: 'source atau destination melewati akhir daftar' },
  'into-itself': { en: 'a value cannot be moved into itself', id: 'nilai tidak dapat dipindahkan ke dalam dirinya sendiri' },
  'test-failed': { en: 'the value is not the one tested for', id: 'nilainya bukan nilai yang diuji' },
  'whole-resource': { en: 'the whole resource cannot be removed', id: 'sumber daya tidak dapat dihapus seluruhnya' },
  'result-too-large': { en: 'the result is too large', id: 'hasilnya terlalu besar' },
  'result-too-deep': { en: 'the result is nested deeper than {max} levels', id: 'hasilnya bersarang lebih dalam dari {max} tingkat' },

  // entries of a Bundle
  'entry-object': { en: 'it is an object', id: 'entri harus berupa objek' },
  'entry-text': { en: '{member} is a string', id: '{member} harus berupa string' },
  'entry-request': { en: 'request is needed', id: 'request wajib ada' },
  'entry-method': { en: 'request.method is one of {words}', id: 'request.method harus salah satu dari {words}' },
  'entry-url': { en: 'request.url is relative to the base, without a slash before it, or begins with the base; name what the Bundle creates by type and criteria', id: 'request.url relatif terhadap URL dasar, tanpa garis miring di depannya, atau diawali URL dasar; sebut yang dibuat Bundle ini dengan tipe dan kriteria' },
  'entry-base': { en: 'request.url is relative to the base of this server', id: 'request.url harus relatif terhadap URL dasar server ini' },
  'entry-async': { en: 'requests about async jobs do not go into a Bundle', id: 'permintaan tentang pekerjaan asinkron tidak dapat masuk ke dalam Bundle' },
  'entry-resource': { en: 'resource is an object', id: 'resource harus berupa objek' },
  'entry-needs-resource': { en: '{method} needs a resource', id: '{method} memerlukan resource' },
  'entry-takes-no-resource': { en: '{method} takes no resource', id: '{method} tidak menerima resource' },
  'entry-patch': { en: 'PATCH takes Parameters, or a Binary of application/json-patch+json or application/merge-patch+json', id: 'PATCH menerima Parameters, atau Binary dari application/json-patch+json atau application/merge-patch+json' },
  'entry-nested': { en: 'a batch or transaction is not nested', id: 'batch atau transaction tidak dapat bersarang' },
  'entry-bundle': { en: 'a Bundle is not posted inside a Bundle', id: 'Bundle tidak dapat dikirim di dalam Bundle' },

  // new passwords
  'password-short': { en: 'it has fewer than {min} characters', id: 'panjangnya kurang dari {min} karakter' },
  'password-long': { en: 'it has more than {max} characters', id: 'panjangnya lebih dari {max} karakter' },
  'password-common': { en: 'it is made of words that everybody tries first', id: 'isinya kata-kata yang paling sering ditebak' },
  'password-repeat': { en: 'it repeats a character four times', id: 'satu karakter diulang empat kali berturut-turut' },
  'password-sequence': { en: 'it holds a sequence such as 1234, abcd or qwerty', id: 'isinya memuat urutan seperti 1234, abcd, atau qwerty' },
  'password-username': { en: 'it holds the user name', id: 'isinya memuat nama pengguna' },
  'password-email': { en: 'it holds a part of the e-mail address', id: 'isinya memuat bagian dari alamat e-mail' },
  'password-product': { en: 'it holds the name of this product', id: 'isinya memuat nama produk ini' },
  'password-hospital': { en: 'it holds the name of the facility', id: 'isinya memuat nama fasilitas' },
  'password-classes': { en: 'it needs {min} of lower case, upper case, digits and other signs', id: 'isinya harus memuat {min} dari huruf kecil, huruf besar, angka, dan tanda lain' },
  'password-used-before': { en: 'it is one of the last five', id: 'kata sandi ini termasuk lima yang terakhir dipakai' },

  // applications, accounts and what administrators write
  'member-unknown': { en: 'nothing of this name is known here', id: 'nama ini tidak dikenal di sini' },
  'member-needed': { en: 'it is needed', id: 'bagian ini wajib ada' },
  'member-not-here': { en: 'a client of type {type} has none', id: 'klien bertipe {type} tidak memilikinya' },
  'text-between': { en: 'it is a text of {min} to {max} characters', id: 'nilainya teks {min} sampai {max} karakter' },
  'text-of': { en: 'it is a text of 1 to {max} characters without control characters', id: 'nilainya teks 1 sampai {max} karakter tanpa karakter kendali' },
  'list-of': { en: 'it is a list of at most {max}, each once', id: 'nilainya daftar berisi paling banyak {max}, masing-masing satu kali' },
  'whole-number-from-to': { en: 'it is a whole number from {min} to {max}', id: 'nilainya bilangan bulat dari {min} sampai {max}' },
  'days-ahead': { en: 'it is an instant in the future, at most {max} days from now', id: 'nilainya waktu yang akan datang, paling lama {max} hari dari sekarang' },
  'true-or-false': { en: 'it is true or false', id: 'nilainya true atau false' },
  'not-in-production': { en: 'a server in production takes none', id: 'server produksi tidak menerimanya' },
  'redirect-uri': { en: 'a redirect URI is https, for native clients also http on a loopback address or a private-use scheme with a dot, without fragment', id: 'redirect URI berupa https; untuk klien native juga http pada alamat loopback atau skema privat yang memuat titik; tanpa fragment' },
  'origin-form': { en: 'an origin is https and a host, with a port if needed, and nothing behind it', id: 'origin berupa https dan host, bila perlu dengan port, tanpa apa pun di belakangnya' },
  'provider-id': { en: 'it is 2 to 32 small letters, digits and "-", a letter first, and stays as it is', id: 'nilainya 2 sampai 32 huruf kecil, angka dan "-", diawali huruf, dan tidak berubah' },
  'mail-domain': { en: 'it is a domain of e-mail addresses in small letters', id: 'nilainya domain alamat e-mail dengan huruf kecil' },
  'role-mapped': { en: 'it is a role that neither administers nor audits', id: 'nilainya peran yang tidak mengelola dan tidak mengaudit' },
  'secret-or-key': { en: 'the authentication of the provider takes the other one', id: 'autentikasi penyedia ini memakai yang satunya' },
  'private-jwk': { en: 'it is a private key as JWK whose alg is one of {words}, RSA with 2048 bits or more', id: 'nilainya kunci privat berupa JWK dengan alg salah satu dari {words}, RSA paling sedikit 2048 bit' },
  'two-administrators': { en: 'it names two administrators in use who have a password', id: 'nilainya dua administrator aktif yang memiliki kata sandi' },
  'among-domains': { en: 'its domains are among emailDomains', id: 'domainnya termasuk dalam emailDomains' },
  'of-another-provider': { en: 'another provider has it', id: 'sudah dipakai penyedia lain' },
  'https-url': { en: 'it is an https URL without user, password and fragment', id: 'nilainya URL https tanpa pengguna, kata sandi, dan fragment' },
  'absolute-uri': { en: 'it is an absolute URI', id: 'nilainya URI absolut' },
  'scope-form': { en: 'it is no scope of SMART that this server knows', id: 'ini bukan scope SMART yang dikenal server ini' },
  'scope-of-backend': { en: 'scopes of level system are for clients of type backend, and those have no others', id: 'scope tingkat system hanya untuk klien bertipe backend, dan klien itu tidak memiliki yang lain' },
  'scope-of-house': { en: 'only a first-party client may have it', id: 'hanya klien first-party yang boleh memilikinya' },
  'scope-offline': { en: 'offline_access needs offline', id: 'offline_access memerlukan offline' },
  'development-trust': { en: 'a client marked development is never first-party', id: 'klien bertanda development tidak pernah first-party' },
  'key-set': { en: 'it is a JSON Web Key Set of at most 50 public keys, each with a kid of its own, RSA of 2048 bits or more', id: 'nilainya JSON Web Key Set berisi paling banyak 50 kunci publik, masing-masing dengan kid sendiri, RSA minimal 2048 bit' },
  'keys-once': { en: 'it takes either jwks or jwksUri', id: 'isi salah satu: jwks atau jwksUri' },
  'client-grants': { en: 'each grant has a clause such as "Observation cu if laboratory", and a reach: "any", organizations or groups', id: 'tiap grant memiliki clause seperti "Observation cu if laboratory" dan reach: "any", organizations, atau groups' },
  'address-ranges': { en: 'it is a list of at most 32 addresses and ranges', id: 'nilainya daftar berisi paling banyak 32 alamat dan rentang' },
  'role-known': { en: 'it is a role or a duty of this installation', id: 'nilainya peran atau tugas di instalasi ini' },
  'email-form': { en: 'it is an e-mail address', id: 'nilainya alamat e-mail' },
  'of-another-account': { en: 'another account has it', id: 'sudah dipakai akun lain' },
  'username-form': { en: 'a user name is 3 to 64 small letters and digits with . _ - between them', id: 'nama pengguna terdiri dari 3 sampai 64 huruf kecil dan angka dengan . _ - di antaranya' },
  'object-form': { en: 'it is a JSON object', id: 'nilainya objek JSON' },

  // who refers to an instance
  others: { en: 'instances that you may not see', id: 'instans yang tidak boleh Anda lihat' },
  'names-and-others': { en: '{names} and others', id: '{names} dan lainnya' },
} as const satisfies Record<string, Row>

export type RuleKey = keyof typeof rules

type RuleValues = Readonly<Record<string, string | number>>

/** A row of `rules` with what fills its places; it has no language yet. */
export type Rule = { readonly rule: RuleKey; readonly values: RuleValues }

type ValuesOf<K extends RuleKey> = { readonly [P in Places<(typeof rules)[K]['en']>]: string | number }

/** `rule('etag-form')`, `rule('sort-at-most', { max: 10 })`: the compiler asks for every place of the row. */
export const rule = <K extends RuleKey>(key: K, ...[values]: keyof ValuesOf<K> extends never ? [] : [ValuesOf<K>]): Rule => ({
  rule: key,
  values: values ?? {},
})

/** Tells a rule from what a function gives when it has nothing to object to. */
export const isRule = (value: unknown): value is Rule => typeof value === 'object' && value !== null && 'rule' in value && 'values' in value

/** The clause of a rule with its places filled. */
export const clause = ({ rule: key, values }: Rule, language: 'en' | 'id'): string => filled(rules[key][language], values, String)
