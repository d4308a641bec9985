"""The language of a text, told by its function words: what crawls of Indonesian news hold beside Indonesian."""

import re
import unicodedata
from collections import Counter

# The characters that are looked at: some 100 words, in which any of the languages shows itself many times over.
SAMPLE = 700
# A text with fewer words is too short to tell.
MIN_WORDS = 8
# A language is not told by fewer different words of its own than this; nor is Malay by fewer that Indonesian lacks.
MIN_FOUND = 3
# A letter that is not Latin takes two bytes or three in UTF-8, a plain one takes one.
BYTES_A_CHARACTER = 1.4
SCRIPTS = {"CJK": "Chinese script", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}

# Function words, and verbs and nouns of everyday news. Those of the first list are shared by Indonesian and Malay, those
# of the second and third tell the two apart; the other lists hold no word that is common in Indonesian.
_INDONESIAN_OR_MALAY = frozenset(
    """
    ada adalah agar akan akibat aku anda anggota antara apa apabila atas atau bagi bahkan baik banyak baru beberapa
    begitu bekas beliau belum bersama berusia besar boleh bukan dalam dan dapat dari daripada demikian dengan di dia
    dua gelar hanya hari harus hingga ia ialah ikut ini itu jadi jalan jika juga kali kami kata kawasan ke kembali
    kementerian kemudian kepada ketika kini kita lagi lain lalu lebih lelaki makin malah mangsa masih melalui
    melibatkan mengenai menjadi menteri mereka merupakan negara negeri oleh orang pada para pejabat penduduk perlu
    pernah petang pihak pula pun rakyat rumah saat salah sama sampai sangat satu saya sebagai sebanyak sebelum sebuah
    secara sedang sehingga sejak sekarang sekitar selain selaku selama seluruh semua sendiri seorang seperti serta
    setelah setiap siapa sudah supaya tahun tak tanpa tapi telah tengah tentang terhadap termasuk tersebut tetapi
    tidak tiga turut untuk wanita yang
    """.split()
)
_INDONESIAN = frozenset(
    """
    agustus bahwa berbagai bisa butuh cuma desember dikatakan dirinya diungkapkan dolar februari gak gara-gara itulah
    jaksa januari juli jumat juni kabupaten kamis kantor karena karenanya kasus kecamatan kejaksaan kelurahan
    kepolisian korban lanjutnya lantaran lewat mantan maret mengaku mengatakan menurutnya menuturkan meski miliar
    minggu mobil namun nggak nomor november pemerintah penyidik perusahaan pihaknya polda polisi polres polsek
    provinsi rabu republik resmi rp rupiah sabtu saja sebesar selasa sementara senin sepeda soal tentara terkait
    tersangka triliun triwulan uang ucapnya ujar ujarnya ungkap ungkapnya usai wali walikota wib yakni
    """.split()
)
_MALAY = frozenset(
    """
    adakah ahad akhbar bahawa bandaraya bas berkata berkenaan berpunca bilion bomba cawangan dihantar dijangka
    dijumpai dimaklumkan dinaiki diraja disember disyaki ditubuhkan doktor hospital iaitu isnin jambatan jenayah julai
    jumaat jun juruterbang kakitangan kanak-kanak kemalangan kenderaan kerajaan kerana kes kesihatan khamis lapan
    lebuhraya lori mac mahupun maklumat manakala memaklumkan memandangkan membabitkan memberitahu menerusi mesyuarat
    motosikal naib ogos parlimen peguam pelancongan pelbagai pembangkang pencen pengarah peratus perkhidmatan
    persekutuan pesakit polis rakaman ringgit rm sahaja sehubungan sekiranya selepas semasa setakat setiausaha
    siasatan sijil sukan suspek susulan syarikat tarikh teksi televisyen tempatan tentera terbabas terbabit terselamat
    tertuduh timbalan universiti wang
    """.split()
)
_JAVANESE = frozenset(
    """
    akeh amarga amargi ananging arep awit babagan badhe banjur banyu biyen boten cilik dadi dalan dening dhateng dhewe
    dheweke dhuwit dina duwe enom esuk gawe gedhe iki iku ing inggih ingkang isih jalaran kabeh kados kagem kaliyan
    kang kanggo kanthi karo kasebut kayata kudu kula lan lanang langkung liya liyane loro lumantar luwih maneh
    mangkene manungsa marang mboten menawa menehi menika menyang metu mligi mulih mung nalika nanging nduwe nduweni
    ngandika nganggo nganti ngendika ngerti nggawe ngono nindakake nuli omah ora padha panjenengan panjenengane papat
    pawongan piyambakipun priye punika saben sadurunge saged sajrone saka saking sakwise sami sasi sawetara sawijining
    sawise sesuk siji sing tansah taun teka tekan telu tuku tumrap tuwa uga ugi utawa utawi wadon wae wayah wektu wis
    wiwit wong wonten yaiku yen
    """.split()
)
_SUNDANESE = frozenset(
    """
    abdi alatan anjeunna anu atanapi atawa aya ayeuna baheula barudak beuki cai cenah ceuk deui deukeut diajar dieu
    dilakukeun dina dinten dinya diwangun dugi eta éta euweuh gedé geuning geus henteu hiji hirup ieu imah iraha isuk
    jalma jelema jeung kaasup kabeh kabéh kacida kajadian kamari kana katut kawas kénéh keneh keur kieu kitu ku kudu
    kumaha kuring lamun leuwih loba manéhna manehna mangrupa mangrupakeun maranéhna maranehna masarakat mibanda naha
    nalika naon nepi ngabogaan ngagunakeun ngaran ngaranna ngeunaan nu nuju numutkeun nya nyaeta nyaéta nyieun ogé oge
    pamarentah pamaréntah parantos peuting pikeun poe poé réa sabada sabot sadaya saha sakola sakumaha salaku salian
    saméméh samemeh sanajan sangkan saparantos saperti sapertos sareng sataun saurna sawatara taun téh teu tiasa tilu
    tina tuluy ulah unggal upami urang waé wewengkon
    """.split()
)
_ENGLISH = frozenset(
    """
    about after against all also although an and are around at be because been before being between both but by could
    did do does during each even every first for from further had has have he her him his how however if in including
    into is it its just last like made many may more most much must not now of on one only or other our out over
    people said same says she should since so some still such than that the their them then there these they this
    those through to two under until up was we were what when where which while who whose will with within without
    would year years you your
    """.split()
)
_ALL_INDONESIAN = _INDONESIAN_OR_MALAY | _INDONESIAN
_ALL = _ALL_INDONESIAN | _MALAY | _JAVANESE | _SUNDANESE | _ENGLISH


def language_tokens() -> list[list[str]]:
    """The tokens of all these words, each once, in four groups: those that Malay shares with Indonesian, Indonesian's own,
    Malay's own, and those of other languages."""
    groups = (_INDONESIAN_OR_MALAY, _INDONESIAN, _MALAY, _JAVANESE | _SUNDANESE | _ENGLISH)
    first: dict[str, int] = {}
    for number, group in enumerate(groups):
        for word in sorted(group):
            for token in re.findall(r"\w{2,}", word):
                first.setdefault(token, number)
    return [[token for token, of in first.items() if of == number] for number in range(len(groups))]


def language_of(text: str) -> str:
    """The English name of the language that most of the text's function words are of, "Arabic script" and the like where
    it is not in Latin letters, and "" where that cannot be told: few words, or a language that is not known here."""
    sample = text[:SAMPLE]
    if not sample.isascii() and len(sample.encode("utf-8", "surrogatepass")) > BYTES_A_CHARACTER * len(sample):
        return _script_of(sample)
    words = sample.lower().replace(",", " ").replace(".", " ").split()
    if len(words) < MIN_WORDS:
        return ""
    known = _ALL.intersection(words)
    indonesian = len(known & _ALL_INDONESIAN)
    if len(known) - indonesian < MIN_FOUND:  # nothing else to weigh: so it is with nearly every article
        return "Indonesian" if indonesian >= MIN_FOUND else ""
    malay = len(known & _MALAY)
    found = {
        "Indonesian": indonesian,
        "Malay": malay + len(known & _INDONESIAN_OR_MALAY) if malay >= MIN_FOUND else 0,
        "Javanese": len(known & _JAVANESE),
        "Sundanese": len(known & _SUNDANESE),
        "English": len(known & _ENGLISH),
    }
    likeliest = max(found, key=found.__getitem__)
    return likeliest if found[likeliest] >= MIN_FOUND else ""


def _script_of(sample: str) -> str:
    """The script of most of the sample's letters, from their names in Unicode; "" for Latin and for a few letters only."""
    scripts = Counter(unicodedata.name(letter, "").split(" ")[0] for letter in sample if letter.isalpha())
    if not scripts:
        return ""
    script, letters = scripts.most_common(1)[0]
    if script in ("LATIN", "") or letters < MIN_WORDS:
        return ""
    return SCRIPTS.get(script, f"{script.title()} script")
