"""What the model of the embedded corpus must do, whatever its figures: minimum functionality, invariance, direction."""

import csv

import pytest

from serve.paths import DATA

PACT_TITLE = "Putin dan Kim Jong Un Teken Kemitraan Keamanan di Pyongyang"
PACT = """PYONGYANG, LENSADUNIA.COM - Presiden Rusia Vladimir Putin tiba di Pyongyang, Rabu, untuk kunjungan kenegaraan pertamanya ke Korea Utara dalam 24 tahun. Di Lapangan Kim Il Sung ia disambut pasukan kehormatan dan ribuan warga yang melambaikan bendera kedua negara.

Seusai berunding dua jam, Putin dan pemimpin Korea Utara Kim Jong Un menandatangani perjanjian kemitraan strategis yang memuat klausul pertahanan bersama: jika salah satu diserang, yang lain wajib memberi bantuan militer.

Kim menyebut pakta keamanan itu sebagai aliansi, sedangkan Putin menyebutnya bersifat defensif. Jamuan makan malam menutup lawatan itu sebelum rombongan Kremlin terbang ke Hanoi."""

# One plain example a topic, as a headline and a sentence or two would put it.
TEXTBOOK = {
    "security_pact": "Indonesia dan Australia menandatangani perjanjian kerja sama pertahanan yang mengatur latihan militer bersama dan bantuan bila salah satu negara diserang. Pakta keamanan itu akan diratifikasi parlemen kedua negara.",
    "state_visit": "Raja Yordania tiba di Istana Merdeka dalam kunjungan kenegaraan. Presiden menyambutnya dengan upacara kehormatan, dentuman meriam, dan jamuan santap malam kenegaraan.",
    "diplomacy": "Menteri luar negeri negara-negara ASEAN bertemu dalam KTT di Vientiane. Menlu Retno membahas Laut China Selatan dengan mitranya dan mendorong resolusi di Majelis Umum PBB.",
    "armed_conflict": "Serangan udara Israel menghantam Rafah di Jalur Gaza dan menewaskan 40 orang. Pertempuran dengan pejuang Hamas berlanjut, tank bergerak ke pusat kota.",
    "peace_process": "Kedua pihak menyepakati gencatan senjata setelah perundingan damai yang dimediasi Qatar. Pertukaran tahanan dan sandera dimulai besok.",
    "sanctions": "Uni Eropa menjatuhkan paket sanksi ke-14 terhadap Rusia: pembekuan aset, larangan perjalanan bagi pejabat, dan embargo atas kapal tanker.",
    "weapons_program": "Korea Utara menembakkan rudal balistik antarbenua dalam uji coba terbarunya. IAEA mencatat pengayaan uranium dan program nuklir negara itu terus berjalan.",
    "trade_relations": "Amerika Serikat menaikkan tarif impor atas produk tekstil Indonesia. Kementerian Perdagangan merundingkan perjanjian dagang agar bea masuk ekspor turun.",
    "humanitarian": "Palang Merah menyalurkan bantuan kemanusiaan bagi para pengungsi: tenda, selimut, air bersih dan makanan siap saji. Donasi warga terus terkumpul.",
    "military": "TNI Angkatan Laut menerima dua kapal perang baru. Panglima TNI meninjau latihan tempur prajurit marinir dan alutsista di pangkalan Surabaya.",
    "terrorism": "Densus 88 menangkap tiga terduga teroris anggota JAD. Mereka diduga merencanakan serangan bom bunuh diri.",
    "cybersecurity": "Peretas membobol pusat data dan menyebarkan ransomware. Kebocoran data pribadi jutaan pengguna diselidiki BSSN.",
    "election": "KPU menetapkan hasil pemilu. Pasangan calon presiden memulai kampanye putaran kedua, TPS disiapkan untuk pemungutan suara.",
    "government_policy": "Pemerintah menerbitkan peraturan presiden tentang kementerian baru. DPR mengesahkan rancangan undang-undang itu dalam rapat paripurna.",
    "corruption": "KPK menetapkan bupati sebagai tersangka kasus suap dan gratifikasi proyek. Penyidik menyita uang Rp 5 miliar dalam operasi tangkap tangan.",
    "protest": "Ribuan mahasiswa berunjuk rasa di depan gedung DPR. Massa aksi membakar ban dan menolak pengesahan RUU, demonstrasi dijaga polisi.",
    "crime": "Polisi menangkap pelaku pembunuhan dan perampokan sebuah toko emas. Korban ditemukan tewas dengan luka tusuk, tersangka mengaku merampas perhiasan.",
    "narcotics": "BNN menggagalkan penyelundupan 50 kilogram sabu dan ribuan butir ekstasi. Kurir jaringan narkoba itu ditangkap di pelabuhan.",
    "court": "Majelis hakim menjatuhkan vonis 10 tahun penjara kepada terdakwa. Jaksa penuntut umum mengajukan banding atas putusan pengadilan negeri itu.",
    "prices": "Harga cabai dan beras naik menjelang Lebaran. Pedagang pasar mengeluhkan harga bahan pokok yang melonjak, inflasi bulan ini 0,6 persen.",
    "financial_markets": "IHSG ditutup melemah 1,2 persen, rupiah terdepresiasi ke Rp 16.400 per dolar AS. Bank Indonesia menahan suku bunga acuan, investor asing melepas saham.",
    "energy_mining": "Pertamina menemukan cadangan minyak dan gas baru. Produksi batu bara dan nikel tambang itu naik, PLN membangun pembangkit listrik tenaga surya.",
    "business": "Perusahaan rintisan itu membuka cabang baru dan meraih laba Rp 2 triliun. Direktur utama mengumumkan akuisisi dan ekspansi bisnis waralaba.",
    "labour": "Serikat buruh menuntut kenaikan upah minimum. Ribuan pekerja pabrik terkena PHK dan belum menerima pesangon.",
    "transport": "Kereta cepat dan MRT menambah jadwal perjalanan. Jalan tol baru dibuka, penumpang bandara dan pelabuhan meningkat.",
    "agriculture": "Petani padi di Karawang memulai panen raya. Pupuk bersubsidi sudah tersalur, gabah dibeli Bulog, nelayan dan peternak ikut dibantu.",
    "disaster": "Gempa bumi magnitudo 6,4 mengguncang Cianjur. BNPB mencatat ratusan rumah rusak, tanah longsor dan banjir bandang menyusul.",
    "accident": "Bus terguling masuk jurang, sembilan penumpang tewas. Kecelakaan maut itu terjadi karena rem blong.",
    "health": "Kementerian Kesehatan mencatat lonjakan kasus demam berdarah. Dokter rumah sakit mengimbau vaksinasi dan menjaga gejala pasien.",
    "education": "Sekolah dasar itu menerima murid baru. Guru, siswa dan mahasiswa menyambut kurikulum baru, beasiswa kampus dibuka.",
    "environment": "Kebakaran hutan dan deforestasi mengancam habitat orangutan. Sampah plastik mencemari sungai, emisi karbon dan perubahan iklim memburuk.",
    "religion": "Jemaah haji mulai diberangkatkan ke Makkah. Umat Islam menunaikan salat Idul Fitri di masjid, ulama menyampaikan khotbah.",
    "technology": "Ponsel pintar terbaru dengan chip kecerdasan buatan diluncurkan. Aplikasi AI dan fitur kamera gawai itu diperbarui.",
    "automotive": "Mobil listrik SUV terbaru dipamerkan di GIIAS. Mesin, transmisi dan fitur sepeda motor itu diuji, harga on the road diumumkan.",
    "travel_food": "Resep rendang dan soto khas Padang. Wisatawan menikmati kuliner, pantai dan hotel di destinasi wisata Lombok.",
    "entertainment": "Aktris itu membintangi film layar lebar terbaru. Penyanyi dan artis sinetron hadir di konser musik dan festival film.",
    "football": "Timnas Indonesia menang 2-1 lewat gol penalti di menit akhir. Pelatih memuji kiper dan striker, laga Liga 1 dilanjutkan pekan depan.",
    "sports": "Pebulu tangkis tunggal putra melaju ke final. Atlet angkat besi meraih medali emas SEA Games, pebalap MotoGP naik podium.",
}


@pytest.mark.parametrize("topic", TEXTBOOK)
def test_a_textbook_example_is_found(embedded_model, topic):
    assert topic in embedded_model.predict(TEXTBOOK[topic])


def test_every_topic_has_its_example(embedded_model):
    assert list(TEXTBOOK) == embedded_model.topics


def test_a_security_partnership_signed_on_a_visit_is_both(embedded_model):
    assert {"security_pact", "state_visit"} <= set(embedded_model.predict(PACT, PACT_TITLE))


@pytest.mark.parametrize(
    "others",
    [
        {"Rusia": "Prancis", "Korea Utara": "Vietnam", "Pyongyang": "Hanoi", "Hanoi": "Bangkok", "Kremlin": "Elysee"},
        {"Rusia": "Tiongkok", "Korea Utara": "Pakistan", "Pyongyang": "Islamabad", "Kremlin": "Beijing"},
        {"Rusia": "Turki", "Korea Utara": "Malaysia", "Pyongyang": "Kuala Lumpur", "Kremlin": "Ankara"},
    ],
)
def test_other_countries_have_the_same_topics(embedded_model, others):
    text, title = PACT, PACT_TITLE
    for country, other in others.items():
        text, title = text.replace(country, other), title.replace(country, other)
    assert {"security_pact", "state_visit"} <= set(embedded_model.predict(text, title))


@pytest.mark.parametrize(
    "line",
    [
        "BACA JUGA: Harga Beras dan Cabai Naik, Pedagang Pasar Mengeluh",
        "Baca juga: Timnas Menang 2-1, Pelatih Puji Kiper",
        "Lihat juga Video: Gempa Guncang Cianjur, Warga Mengungsi",
        "SCROLL TO CONTINUE WITH CONTENT",
        "[Gambas:Video 20detik]",
        "Cek Berita dan Artikel yang lain di Google News",
    ],
)
def test_leftovers_of_the_crawl_change_nothing(embedded_model, line):
    first, *rest = PACT.split("\n\n")
    messy = "\n\n".join([first, line, *rest])
    assert messy != PACT
    for ours, theirs in zip(
        embedded_model.predict_proba([PACT], [PACT_TITLE])[0],
        embedded_model.predict_proba([messy], [PACT_TITLE])[0],
        strict=True,
    ):
        assert ours == pytest.approx(theirs, abs=1e-6)


def test_more_of_a_topic_makes_it_likelier(embedded_model):
    football = embedded_model.topics.index("football")
    base = "Klub itu mengumumkan nama baru dalam jumpa pers."
    more = base + " Striker dan kiper tim sepak bola itu berlatih jelang laga Liga 1, pelatih menunggu gol."
    without, with_football = embedded_model.predict_proba([base, more])[:, football]
    assert with_football > without


def test_an_integrity_pact_is_no_security_pact(embedded_model):
    text = "Para kepala dinas menandatangani pakta integritas di hadapan wali kota. Penandatanganan pakta integritas itu bertujuan mencegah pungutan liar dalam penerimaan siswa."
    assert "security_pact" not in embedded_model.predict(text, "Wali Kota Saksikan Penandatanganan Pakta Integritas")


def test_the_samples_are_filed(embedded_model):
    with (DATA / "samples" / "articles.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = embedded_model.predict([row["isi"] for row in rows], [row["judul"] for row in rows])
    empty = [topics for row, topics in zip(rows, found, strict=True) if not row["isi"] and not row["judul"]]
    assert all(topics == [] for topics in empty)
    assert sum(bool(topics) for topics in found) >= len(rows) - 3
