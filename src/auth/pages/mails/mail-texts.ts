/**
 * What mails say, in Bahasa Indonesia and in English: subject, then the text. No health data, no name of a patient, and no link but those that were
 * asked for, so that nobody learns to follow links in mails of this kind.
 */
// biome-ignore format: a table
export const mailTexts = {
  'new-device': {
    subject: ['Masuk dari perangkat baru', 'Sign-in from a new device'],
    text: [
      'Akun Anda di {facility} dipakai untuk masuk dari perangkat baru pada {time} ({browser}).\n\nBila itu Anda, tidak ada yang perlu dilakukan. Bila bukan, buka {address}/account/security dan tekan "Ini bukan saya".',
      'Somebody signed in to your account at {facility} from a new device on {time} ({browser}).\n\nIf it was you, there is nothing to do. If not, open {address}/account/security and press "This was not me".',
    ],
  },
  locked: {
    subject: ['Akun Anda terkunci sementara', 'Your account is locked for a while'],
    text: [
      'Terlalu banyak percobaan masuk yang gagal untuk akun Anda di {facility}. Perangkat yang belum dikenal baru dapat masuk lagi setelah {until}. Browser yang pernah Anda pakai tetap dapat masuk.\n\nBila bukan Anda yang mencoba, kata sandi Anda tidak diketahui orang itu. Hubungi administrator bila hal ini berulang.',
      'There were too many failed attempts to sign in to your account at {facility}. Devices that are not known can sign in again after {until}. Browsers that you have used before still can.\n\nIf it was not you, whoever tried does not know your password. Tell an administrator if it happens again.',
    ],
  },
  unlocked: {
    subject: ['Akun Anda sudah tidak terkunci', 'Your account is no longer locked'],
    text: ['Akun Anda di {facility} dapat dipakai lagi.', 'Your account at {facility} can be used again.'],
  },
  reset: {
    subject: ['Buat kata sandi baru', 'Choose a new password'],
    text: [
      'Ada yang meminta kata sandi baru untuk akun Anda di {facility}. Tautan ini berlaku 15 menit dan hanya sekali:\n\n{address}/login/reset/{secret}\n\nBila bukan Anda yang meminta, abaikan e-mail ini: kata sandi Anda tidak berubah.',
      'Somebody asked for a new password for your account at {facility}. This link works for 15 minutes and only once:\n\n{address}/login/reset/{secret}\n\nIf it was not you, ignore this e-mail: your password stays as it is.',
    ],
  },
  invitation: {
    subject: ['Undangan ke {facility}', 'Invitation to {facility}'],
    text: [
      'Anda diundang untuk memakai sistem {facility}. Buat akun Anda dengan tautan ini. Tautan berlaku 30 menit dan hanya sekali:\n\n{address}/login/invitation/{secret}',
      'You are invited to use the system of {facility}. Create your account with this link. It works for 30 minutes and only once:\n\n{address}/login/invitation/{secret}',
    ],
  },
  email: {
    subject: ['Konfirmasi alamat e-mail Anda', 'Confirm your e-mail address'],
    text: [
      'Alamat ini akan dipakai untuk akun di {facility}. Konfirmasi dengan tautan ini. Tautan berlaku 24 jam dan hanya sekali:\n\n{address}/login/email/{secret}\n\nBila bukan Anda yang meminta, abaikan e-mail ini.',
      'This address is to be used for an account at {facility}. Confirm it with this link. It works for 24 hours and only once:\n\n{address}/login/email/{secret}\n\nIf it was not you, ignore this e-mail.',
    ],
  },
  'email-asked': {
    subject: ['Alamat e-mail akun Anda akan diganti', 'The e-mail address of your account is about to change'],
    text: [
      'Pada {time} ada permintaan untuk mengganti alamat e-mail akun Anda di {facility}. Bila itu Anda, tidak ada yang perlu dilakukan. Bila bukan, buka {address}/account/security dan tekan "Ini bukan saya".',
      'On {time} somebody asked to change the e-mail address of your account at {facility}. If it was you, there is nothing to do. If not, open {address}/account/security and press "This was not me".',
    ],
  },
  'email-changed': {
    subject: ['Alamat e-mail akun Anda sudah diganti', 'The e-mail address of your account has changed'],
    text: [
      'Alamat ini sekarang dipakai untuk akun Anda di {facility}.',
      'This address is now the one of your account at {facility}.',
    ],
  },
  'password-changed': {
    subject: ['Kata sandi Anda sudah diganti', 'Your password has changed'],
    text: [
      'Kata sandi akun Anda di {facility} diganti pada {time}. Bila bukan Anda yang menggantinya, minta kata sandi baru di {address}/login/forgotten dan beri tahu administrator.',
      'The password of your account at {facility} changed on {time}. If it was not you, ask for a new one at {address}/login/forgotten and tell an administrator.',
    ],
  },
  'factor-enrolled': {
    subject: ['Aplikasi autentikator dipasang', 'An authenticator app was set up'],
    text: [
      'Aplikasi autentikator dipasang untuk akun Anda di {facility} pada {time}. Bila bukan Anda yang memasangnya, segera beri tahu administrator.',
      'An authenticator app was set up for your account at {facility} on {time}. If it was not you, tell an administrator at once.',
    ],
  },
  'factor-removed': {
    subject: ['Verifikasi dua langkah dimatikan', 'Two-step verification was turned off'],
    text: [
      'Verifikasi dua langkah akun Anda di {facility} dimatikan pada {time}. Bila bukan Anda yang mematikannya, segera beri tahu administrator.',
      'Two-step verification of your account at {facility} was turned off on {time}. If it was not you, tell an administrator at once.',
    ],
  },
  'factor-reset': {
    subject: ['Verifikasi Anda diatur ulang', 'Your verification was reset'],
    text: [
      'Administrator {facility} mengatur ulang verifikasi dua langkah akun Anda pada {time}. Saat masuk berikutnya Anda memasang aplikasi autentikator lagi. Bila Anda tidak memintanya, segera beri tahu administrator.',
      'An administrator of {facility} reset the two-step verification of your account on {time}. The next time you sign in you set up an authenticator app again. If you did not ask for it, tell an administrator at once.',
    ],
  },
  'grant-reused': {
    subject: ['Akses sebuah aplikasi dihentikan', 'The access of an app was ended'],
    text: [
      'Akses sebuah aplikasi ke data Anda di {facility} dihentikan pada {time}, karena kuncinya dipakai dua kali. Anda dapat memberi izin lagi. Lihat {address}/account/apps.',
      'The access of an app to your data at {facility} was ended on {time}, because its key was used twice. You can allow it again. See {address}/account/apps.',
    ],
  },
  'emergency-opened': {
    subject: ['Akses darurat dibuka', 'Emergency access was opened'],
    text: [
      'Di {facility}, akun dengan id {by} membuka akses darurat untuk pasien dengan id {patient} pada {time}.\n\nNomor akses darurat: {emergency}. Orang lain yang tidak terlibat menilainya dalam 3 hari kerja. Pasien diberi tahu paling cepat 48 jam dan paling lambat 72 jam setelah akses dibuka, kecuali Anda menundanya dengan alasan. Pasien tanpa akun Anda beri tahu sendiri.\n\nDaftarnya: {address}/admin/emergencies, atau "simpul emergencies" di server.',
      'At {facility}, the account with the id {by} opened emergency access to the patient with the id {patient} on {time}.\n\nNumber of the emergency access: {emergency}. Somebody who had no part in it reviews it within 3 working days. The patient is told 48 hours after it was opened at the earliest and 72 hours at the latest, unless you postpone that with a reason. A patient without an account is told by you.\n\nThe list: {address}/admin/emergencies, or "simpul emergencies" on the server.',
    ],
  },
  'emergencies-overdue': {
    subject: ['Akses darurat belum selesai ditangani', 'Emergency access that waits too long'],
    text: [
      'Di {facility}, {reviews} akses darurat belum dinilai dalam 3 hari kerja, dan {notices} pasien belum diberi tahu pada waktunya.\n\nDaftarnya: {address}/admin/emergencies, atau "simpul emergencies" di server. Pesan ini datang setiap hari sampai semuanya selesai.',
      'At {facility}, {reviews} emergency accesses were not reviewed within 3 working days, and {notices} patients were not told in time.\n\nThe list: {address}/admin/emergencies, or "simpul emergencies" on the server. This message comes every day until all is done.',
    ],
  },
  'emergency-patient': {
    subject: ['Data Anda dibuka dengan akses darurat', 'Your data was opened by emergency access'],
    text: [
      'Pada {time} data Anda di {facility} dibuka dengan akses darurat. Akses itu dicatat dan dinilai oleh orang yang tidak terlibat.\n\nLihat {address}/account/emergencies. Bila ada pertanyaan, hubungi petugas pelindungan data {facility}.',
      'On {time} your data at {facility} was opened by emergency access. It is on record, and somebody who had no part in it reviews it.\n\nSee {address}/account/emergencies. If you have questions, ask the data protection officer of {facility}.',
    ],
  },
  dormant: {
    subject: ['Akun Anda akan dinonaktifkan', 'Your account will be disabled'],
    text: [
      'Akun Anda di {facility} sudah lama tidak dipakai dan akan dinonaktifkan dalam 14 hari. Masuk sekali di {address}/login agar tetap aktif.',
      'Your account at {facility} has not been used for a long time and will be disabled in 14 days. Sign in once at {address}/login to keep it.',
    ],
  },
} as const satisfies Record<string, { readonly subject: readonly [id: string, en: string]; readonly text: readonly [id: string, en: string] }>

export type MailKind = keyof typeof mailTexts
