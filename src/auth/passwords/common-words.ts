/**
 * Words that passwords in Indonesia and elsewhere are made of, and passwords everybody tries first. Folded as `password-rules.ts` folds: lower case, no marks,
 * digits and signs that stand for letters written as letters. Collected by ourselves from everyday use; no list of leaked passwords went into it.
 */
export const commonWords: ReadonlySet<string> = new Set(
  `
  password passwort passphrase passcode pass word secret secrets private access login signin signup logon letmein welcome hello hallo halo open opensesame
  sesame trustme trust believe changeme change default temporary temp guest user username admin administrator root superuser super master system server
  service support helpdesk manager operator backup database network internet website google facebook instagram whatsapp telegram youtube android iphone
  samsung windows microsoft apple computer laptop desktop keyboard monitor printer mobile phone email mail online office company business project
  qwerty qwertz azerty asdfgh asdf zxcvbn zxcv qazwsx qweasd wasd abc abcd abcdef abcabc xyz test testing tester sample example demo trial dummy
  love lover loveyou iloveyou ilove you loveme forever always together sweet sweety sweetheart honey baby babe darling angel princess prince queen king
  kitty kitten puppy doggy monkey dragon tiger lion eagle falcon shark wolf bear panther horse chicken rabbit hunter ranger warrior soldier ninja samurai
  shadow phantom ghost demon devil heaven hell magic wizard merlin gandalf matrix batman superman spiderman ironman pokemon pikachu naruto sasuke doraemon
  starwars football soccer baseball basketball hockey tennis badminton cricket golf racing runner swimmer boxing liverpool arsenal chelsea manchester united
  barcelona madrid juventus milan persija persib arema bayern ronaldo messi jordan michael jessica jennifer ashley daniel thomas robert charlie george
  matthew andrew joshua michelle nicole amanda anthony william joseph richard david maria anna peter james harry potter
  summer winter spring autumn monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september october
  november december sunshine moonlight starlight rainbow flower rose lily orchid garden ocean river mountain island beach forest nature diamond silver golden
  gold platinum crystal ruby cherry banana orange lemon mango strawberry chocolate cookie coffee pepper ginger sugar cheese pizza
  freedom liberty america indonesia england london paris tokyo singapore malaysia money dollar rich lucky happy smile friend friends family mother father
  mommy daddy sister brother family life live good best great perfect nothing something whatever anything jesus christ god bless blessed faith hope grace
  nurse doctor hospital clinic medical medicine medic patient health healthy pharmacy laboratory radiology emergency care doc surgery surgeon dentist
  kata sandi katasandi sandiku rahasia rahasiaku kunci kunciku masuk masukaja buka bukapintu pintu terbuka tertutup selamat datang selamatdatang pagi siang
  sore malam selamatpagi halodunia apakabar kabar baik sehat sehatselalu sehatsehat selalu semangat semoga sukses berkah barokah amin aamiin alhamdulillah
  bismillah insyaallah assalamualaikum masyaallah subhanallah allahuakbar astaghfirullah allah muhammad islam muslim kristen katolik hindu buddha tuhan yesus
  kristus doa ibadah sholat salat puasa ramadhan ramadan lebaran idulfitri natal nyepi waisak
  cinta cintaku cintakamu akucinta akucintakamu aku kamu kita kami saya dia mereka sayang sayangku sayangmu akusayang akusayangkamu kasih kekasih kekasihku
  rindu rinduku kangen jodoh nikah menikah pacar pacarku suami istri suamiku istriku anak anakku anakanak ibu ibuku bapak ayah ayahku mama mamaku papa papaku
  bunda bundaku nenek kakek kakak adik abang mas mbak bang neng om tante keluarga keluargaku teman temanku sahabat sahabatku bersama selamanya bahagia senang
  gembira cantik ganteng manis lucu imut pintar cerdas hebat keren mantap jaya sentosa sejahtera makmur adil merdeka pancasila garuda nusantara negara bangsa
  merah putih merahputih indonesiaraya indonesiaku satu dua tiga empat lima enam tujuh delapan sembilan sepuluh nol
  jakarta bandung surabaya semarang yogyakarta jogja jogjakarta solo surakarta malang medan padang palembang makassar manado denpasar bali lombok mataram kupang
  ambon jayapura pontianak banjarmasin samarinda balikpapan bogor depok tangerang bekasi serang cirebon aceh lampung batam riau jambi bengkulu papua maluku
  sumatra sumatera kalimantan sulawesi jawa sunda betawi batak minang bugis madura dayak
  budi budiman agus bambang joko widodo susilo sukarno soekarno hatta suharto soeharto habibie megawati prabowo jokowi siti aminah aisyah fatimah nurul nur
  dewi putri putra sri wati wahyu wahyudi hidayat rahmat rahman rizki rizky fajar bayu eko dwi tri joni anton andi andri hendra hendri dedi deni dian dina
  rina rini ratna sari lestari indah permata intan mutiara mawar melati kenanga anggrek teratai bunga bungaku matahari bulan bintang langit bumi laut gunung
  sungai pantai hujan pelangi awan angin api air tanah
  kucing anjing ayam burung ikan harimau singa macan gajah kuda sapi kambing kelinci naga elang rajawali kancil komodo
  nasi goreng nasigoreng mie bakso sate rendang tempe tahu sambal kopi teh susu gula garam pisang mangga durian jeruk apel semangka
  senin selasa rabu kamis jumat sabtu minggu januari februari maret april mei juni juli agustus september oktober november desember tahun hari ini kemarin besok
  sepakbola bola bulutangkis voli futsal persebaya psis pss timnas juara pemain
  rumah sakit rumahsakit rsud rsup puskesmas klinik dokter dokterku perawat bidan apoteker apotek farmasi obat resep pasien rekam medis rekammedis
  laboratorium radiologi rawat inap rawatinap jalan poli poliklinik gigi umum igd ugd icu bpjs jkn satusehat kesehatan kemenkes kader posyandu suster mantri
  kantor kerja pekerja karyawan pegawai direktur manajer kepala staf bos sekolah kuliah kampus guru dosen siswa mahasiswa kelas lulus ujian belajar
  uang duit rupiah kaya banyak rezeki rejeki emas berlian untung hoki motor mobil honda yamaha suzuki toyota avanza vario beat ninja hape handphone
  bebas hidup mati jangan lupa janganlupa lupakan lupa ingat ganti gantiaku gantisandi coba cobacoba percobaan contoh tes sementara bawaan pengguna nama namaku
  tamu petugas sistem layanan bantuan jaringan komputer aplikasi data dataku sinyal gratis internetan online game gamer gaming player
  `
    .trim()
    .split(/\s+/),
)
