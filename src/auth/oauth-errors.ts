/**
 * What each error of OAuth means here, and what a developer does about it: the page that `error_uri` leads to, and docs/api/oauth-errors.md. @see auth.md 15,
 * RFC 6749 4.1.2.1, 5.2
 */
type Words = readonly [id: string, en: string]

// biome-ignore format: a table
export const oauthErrors = {
  access_denied: [
    'Pengguna menolak, tidak ada pasien yang dapat dibuka, atau administrator tidak mengizinkan. Katakan itu kepada pengguna; jangan langsung meminta lagi.',
    'The user refused, there is no patient to open, or an administrator does not allow it. Tell the user; do not ask again at once.',
  ],
  authorization_pending: [
    'Pengguna belum selesai memasukkan kode. Tunggu selama interval, lalu tanyakan lagi.',
    'The user has not finished yet. Wait for the interval, then ask again.',
  ],
  consent_required: [
    'Dengan prompt=none tidak ada yang ditanyai, tetapi persetujuan diperlukan. Minta lagi tanpa prompt=none.',
    'With prompt=none nobody is asked, and somebody has to agree. Ask again without prompt=none.',
  ],
  expired_token: [
    'Waktu untuk kode perangkat sudah habis. Mulai lagi.',
    'The time of the device code is over. Begin again.',
  ],
  insufficient_scope: [
    'Token tidak memiliki scope yang diperlukan; header WWW-Authenticate menyebut scope terkecil yang cukup. Minta scope itu saat otorisasi.',
    'The token lacks a scope; the header WWW-Authenticate names the smallest one that would do. Ask for it at authorization.',
  ],
  insufficient_user_authentication: [
    'Ini memerlukan faktor kedua, atau yang baru saja dipakai. Kirim pengguna ke otorisasi dengan acr_values dan max_age dari header; setelah itu token yang sama berlaku.',
    'This needs a second factor, or a fresh one. Send the user to authorization with acr_values and max_age of the header; afterwards the same token works.',
  ],
  interaction_required: [
    'Dengan prompt=none tidak ada yang ditanyai, tetapi pengguna harus memilih atau memutuskan sesuatu. Minta lagi tanpa prompt=none.',
    'With prompt=none nobody is asked, and the user has something to choose. Ask again without prompt=none.',
  ],
  invalid_client: [
    'Klien tidak dikenal atau ditangguhkan, rahasianya salah atau kedaluwarsa, atau assertion ditolak: aud, exp paling lama 5 menit, jti baru, kid yang terdaftar. "simpul client show <id>" menyebut sebabnya.',
    'The client is unknown or suspended, its secret is wrong or has expired, or the assertion was refused: aud, exp at most 5 minutes ahead, a new jti, a registered kid. "simpul client show <id>" says why.',
  ],
  invalid_client_metadata: [
    'Anggota pendaftaran yang disebut dalam error_description tidak dapat diterima.',
    'The member of the registration that error_description names cannot be accepted.',
  ],
  invalid_dpop_proof: [
    'Bukti DPoP tidak ada atau tidak cocok: htm, htu, ath, iat dan jti harus milik permintaan ini, dan kuncinya harus yang mengikat token.',
    'The DPoP proof is missing or does not fit: htm, htu, ath, iat and jti are those of this request, and the key is the one that the token is bound to.',
  ],
  invalid_grant: [
    'Kode atau refresh token sudah dipakai, kedaluwarsa, dicabut atau milik klien lain, atau code_verifier atau redirect_uri tidak cocok. Satu jawaban untuk semua: mulai otorisasi lagi. Simpan selalu refresh token terbaru dan pakai satu kali saja.',
    'The code or refresh token was used, is over, was withdrawn or belongs to another client, or code_verifier or redirect_uri does not match. One answer for all: begin authorization anew. Keep the newest refresh token and use each once.',
  ],
  invalid_redirect_uri: [
    'redirect_uri bukan salah satu yang terdaftar, huruf demi huruf.',
    'redirect_uri is none of those registered, letter by letter.',
  ],
  invalid_request: [
    'Parameter tidak ada, ganda atau salah bentuk: periksa response_type=code, state, aud, code_challenge dengan S256, dan bahwa isi formulir berupa application/x-www-form-urlencoded. Launch hanya berlaku satu kali selama 5 menit.',
    'A parameter is missing, doubled or malformed: look at response_type=code, state, aud, code_challenge with S256, and that a form is application/x-www-form-urlencoded. A launch is good once, for 5 minutes.',
  ],
  invalid_scope: [
    'Dari scope yang diminta tidak ada yang dapat diberikan kepada klien atau pengguna ini. Bandingkan dengan scopesAllowed klien dan scopes_supported.',
    'Of the scopes asked for none can be given to this client or user. Compare with scopesAllowed of the client and scopes_supported.',
  ],
  invalid_target: [
    'aud (atau resource) bukan alamat dasar FHIR server ini, huruf demi huruf.',
    'aud (or resource) is not the FHIR base of this server, letter by letter.',
  ],
  invalid_token: [
    'Token tidak dikenal, kedaluwarsa, dicabut, atau untuk server lain. Perbarui dengan refresh token, atau mulai lagi.',
    'The token is unknown, over, withdrawn, or for another server. Renew it with the refresh token, or begin anew.',
  ],
  login_required: [
    'Dengan prompt=none tidak ada yang ditanyai, tetapi tidak ada yang masuk, atau masuknya sudah terlalu lama. Minta lagi tanpa prompt=none.',
    'With prompt=none nobody is asked, and nobody is signed in, or not recently enough. Ask again without prompt=none.',
  ],
  server_error: [
    'Ada yang salah di server ini. Log mengenalnya dengan X-Request-Id; sebutkan itu kepada administrator.',
    'Something went wrong in this server. Its log knows it by X-Request-Id; tell that to the administrator.',
  ],
  slow_down: [
    'Terlalu sering bertanya. Tambahkan 5 detik pada interval.',
    'Asked too often. Add 5 seconds to the interval.',
  ],
  temporarily_unavailable: [
    'Terlalu banyak permintaan (429), atau layanan sedang tidak tersedia (503). Tunggu selama Retry-After, lalu coba lagi.',
    'Too many requests (429), or the service is away (503). Wait as long as Retry-After says, then try again.',
  ],
  unauthorized_client: [
    'Klien tidak terdaftar untuk cara ini. Daftarkan grant type itu, atau pakai yang terdaftar.',
    'The client is not registered for this way. Register the grant type, or use one that is.',
  ],
  unsupported_grant_type: [
    'grant_type ini tidak ada di sini. grant_types_supported menyebut yang ada.',
    'There is no such grant_type here. grant_types_supported names those there are.',
  ],
  unsupported_response_type: [
    'Hanya response_type=code.',
    'Only response_type=code.',
  ],
} as const satisfies Readonly<Record<string, Words>>

/**
 * What `error_uri` says of an error: where the page explains it, as a reference to what was asked, or with `base` (SIMPUL_BASE_URL) for whoever is sent elsewhere.
 * Absent for an error that the page does not know.
 */
export const errorUri = (error: string, base = ''): { readonly error_uri?: string } =>
  Object.hasOwn(oauthErrors, error) ? { error_uri: `${base}/login/errors#${error}` } : {}
