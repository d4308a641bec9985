// An article to try the page on, made up, with what crawls leave in.

export const EXAMPLE = {
  title: "Raja Yordania Tiba di Jakarta, Dua Negara Teken Kerja Sama Pertahanan",
  text: `JAKARTA, KOMPAS.com - Presiden menerima kunjungan kenegaraan Raja Yordania di Istana Merdeka, Jakarta, Selasa pagi. Upacara penyambutan dibuka dengan dentuman meriam 21 kali dan lagu kebangsaan kedua negara.

Baca juga: Harga Beras Naik Lagi Menjelang Akhir Tahun

Usai pertemuan empat mata, kedua kepala negara menyaksikan penandatanganan perjanjian kerja sama pertahanan. Perjanjian itu mencakup latihan militer bersama, pertukaran perwira, dan industri pertahanan.

"Kunjungan ini mempererat hubungan kedua negara," kata Presiden dalam pernyataan pers bersama. Raja dijadwalkan menghadiri jamuan santap malam kenegaraan sebelum bertolak ke Amman pada hari Rabu.

Simak video: Upacara Penyambutan di Istana

(abc/def)`,
};
