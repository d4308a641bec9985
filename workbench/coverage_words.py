"""What a coverage report says, in Indonesian and in English."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from serve.topics import Topic
from workbench.dates import MONTHS

WEEKDAYS = {
    "id": "Senin Selasa Rabu Kamis Jumat Sabtu Minggu".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}
SEPARATORS = {"id": (".", ","), "en": (",", ".")}
# The word for one, and for any other number.
Forms = tuple[str, str]


@dataclass(frozen=True)
class Words:
    """The texts in one language; those in braces are filled in."""

    language: str
    title: str
    undated_title: str
    n_articles: Forms
    n_outlets: Forms
    n_days_before: Forms
    summary: str
    summary_outlets: str
    more: str
    fewer: str
    as_many: str
    most: str
    up: str
    down: str
    neither: str
    nothing_before: str
    articles: str
    outlets: str
    topics: str
    topic: str
    uncertain: str
    no_topic: str
    no_outlet: str
    usually: str
    contents: str
    changes_heading: str
    changes_text: str
    share: str
    share_before: str
    times: str
    rising: str
    falling: str
    topics_heading: str
    topics_text: str
    per_day: str
    per_day_of: str
    not_that_day: str
    headlines_heading: str
    headlines_text: str
    n_similar: Forms
    untitled: str
    outlets_heading: str
    outlets_text: str
    other_outlets: str
    no_outlets: str
    pairs_heading: str
    pairs_text: str
    no_pairs: str
    together: str
    lift: str
    numbers_heading: str
    notes_heading: str
    no_dates: str
    example: str
    unread_dates: str
    undated: str
    other_days: str
    uncertain_note: str
    changes_note: str
    headlines_note: str
    pairs_note: str
    numbers_note: str

    def number(self, number: float, decimals: int = 0) -> str:
        """A number as the language writes it."""
        thousands, point = SEPARATORS[self.language]
        return f"{number:,.{decimals}f}".translate({ord(","): thousands, ord("."): point})

    def percent(self, share: float) -> str:
        """A share as a percentage, small ones with a decimal."""
        return self.number(100 * share, int(0 < share < 0.0995)) + "%"

    def several(self, forms: Forms, number: int) -> str:
        """So many of something."""
        return forms[number != 1].format(n=self.number(number))

    def day(self, day: date) -> str:
        """With its weekday, month and year."""
        return f"{WEEKDAYS[self.language][day.weekday()]}, {self.short_day(day)} {day.year}"

    def short_day(self, day: date, *, month_letters: int | None = None) -> str:
        """Day and month."""
        return f"{day.day} {MONTHS[self.language][day.month - 1][:month_letters]}"

    def name(self, topic: str, taxonomy: Mapping[str, Topic]) -> str:
        """A topic's name; its id where it has none."""
        found = taxonomy.get(topic, Topic(topic))
        names = (found.name_id, found.name_en)
        return next(filter(None, names if self.language == "id" else names[::-1]), topic)


INDONESIAN = Words(
    language="id",
    title="Liputan {day}",
    undated_title="Liputan tanpa tanggal",
    n_articles=("{n} artikel", "{n} artikel"),
    n_outlets=("{n} media", "{n} media"),
    n_days_before=("sehari sebelumnya", "rata-rata {n} hari sebelumnya"),
    summary="{articles}{change}.",
    summary_outlets="{articles} dari {outlets}{change}.",
    more=", {percent} lebih banyak daripada {before}",
    fewer=", {percent} lebih sedikit daripada {before}",
    as_many=", sebanyak {before}",
    most="Terbanyak: {topics}.",
    up="Naik: {topics}.",
    down="Turun: {topics}.",
    neither="Tidak ada topik yang jelas naik atau turun.",
    nothing_before="Tidak ada hari sebelumnya untuk dibandingkan.",
    articles="Artikel",
    outlets="Media",
    topics="Topik",
    topic="Topik",
    uncertain="Ragu",
    no_topic="Tanpa topik",
    no_outlet="tanpa nama media",
    usually="sebelumnya {figure}",
    contents="Isi",
    changes_heading="Naik dan turun",
    changes_text="Topik yang porsinya jelas berbeda dari {before}, lebih dari kebetulan dan pasang surut yang biasa.",
    share="Porsi",
    share_before="Sebelumnya",
    times="Kali lipat",
    rising="naik",
    falling="turun",
    topics_heading="Topik",
    topics_text="Satu artikel bisa punya beberapa topik. Batang: porsi topik dari artikel tiap hari, hari ini di ujung kanan; tiap topik berskala sendiri.",
    per_day="Per hari",
    per_day_of="{topic}, porsi dari artikel per hari",
    not_that_day="Tidak ada artikel hari ini: {topics}.",
    headlines_heading="Judul yang mewakili",
    headlines_text="Paling dekat dengan isi topiknya; berita yang sama hanya sekali, media bergantian.",
    n_similar=("+{n} serupa", "+{n} serupa"),
    untitled="Artikel di berkas ini tidak punya judul.",
    outlets_heading="Topik per media",
    outlets_text="Jumlah artikel hari ini; makin pekat, makin besar porsinya di media itu.",
    other_outlets="{n} media lain",
    no_outlets="Berkas tidak memuat kolom media.",
    pairs_heading="Topik yang muncul bersama",
    pairs_text="Pasangan topik yang lebih sering ada dalam satu artikel daripada kebetulan, dari {articles} pada semua hari laporan ini.",
    no_pairs="Tidak ada pasangan topik yang lebih sering muncul bersama daripada kebetulan.",
    together="Artikel",
    lift="Kali lipat dari kebetulan",
    numbers_heading="Artikel per hari",
    notes_heading="Catatan",
    no_dates="Berkas tidak memuat tanggal, jadi semua artikel dihitung sebagai satu hari.",
    example=" (misalnya “{example}”)",
    unread_dates="Tidak ada tanggal yang terbaca{example}, jadi semua artikel dihitung sebagai satu hari.",
    undated="Tidak dihitung karena tanggalnya tidak terbaca: {articles}{example}.",
    other_days="Di luar hari-hari laporan ini: {articles}.",
    uncertain_note="Ragu: ada keputusan model yang dekat dengan ambangnya. Periksa topiknya.",
    changes_note="Naik dan turun: rasio log-odds porsi topik dengan setengah artikel ditambahkan pada tiap hitungan, dibagi galat bakunya "
    "(Haldane 1956; Agresti, Categorical Data Analysis) dan diperlebar oleh naik turun harian sebelumnya; yang ditampilkan |z| ≥ {z}, "
    "sehingga hitungan kecil tidak dibesar-besarkan.",
    headlines_note="Judul: kedekatan TF-IDF dengan pusat topik (Radev dkk. 2004), dikali peluang topiknya.",
    pairs_note="Pasangan: lift (Brin dkk. 1997), paling sedikit {support} artikel, diurutkan menurut rasio log-likelihood (Dunning 1993).",
    numbers_note="Angka yang sama ada sebagai CSV di folder “{folder}”.",
)  # fmt: skip
ENGLISH = Words(
    language="en",
    title="Coverage of {day}",
    undated_title="Coverage without dates",
    n_articles=("{n} article", "{n} articles"),
    n_outlets=("{n} outlet", "{n} outlets"),
    n_days_before=("the day before", "the average of the {n} days before"),
    summary="{articles}{change}.",
    summary_outlets="{articles} from {outlets}{change}.",
    more=", {percent} more than {before}",
    fewer=", {percent} fewer than {before}",
    as_many=", as many as {before}",
    most="Most: {topics}.",
    up="Up: {topics}.",
    down="Down: {topics}.",
    neither="No topic has clearly risen or fallen.",
    nothing_before="There is no day before to compare with.",
    articles="Articles",
    outlets="Outlets",
    topics="Topics",
    topic="Topic",
    uncertain="Uncertain",
    no_topic="No topic",
    no_outlet="no outlet named",
    usually="before: {figure}",
    contents="Contents",
    changes_heading="Up and down",
    changes_text="Topics whose share clearly differs from {before}, by more than chance and the usual ups and downs.",
    share="Share",
    share_before="Before",
    times="Times",
    rising="up",
    falling="down",
    topics_heading="Topics",
    topics_text="An article may have several topics. Bars: the topic's share of each day's articles, the day itself at the right; each topic has its own scale.",
    per_day="By day",
    per_day_of="{topic}, share of the articles by day",
    not_that_day="No article that day: {topics}.",
    headlines_heading="Headlines that stand for the topics",
    headlines_text="Closest to what the topic is about; each story once, outlets in turn.",
    n_similar=("+{n} similar", "+{n} similar"),
    untitled="The articles of this file have no titles.",
    outlets_heading="Topics by outlet",
    outlets_text="Articles of the day; the darker, the larger their share of that outlet's.",
    other_outlets="{n} others",
    no_outlets="The file has no column of outlets.",
    pairs_heading="Topics that come together",
    pairs_text="Pairs of topics that one article has more often than by chance, of {articles} on all days of this report.",
    no_pairs="No topics come together more often than by chance.",
    together="Articles",
    lift="Times chance",
    numbers_heading="Articles by day",
    notes_heading="Notes",
    no_dates="The file has no dates, so all articles count as one day.",
    example=" (such as “{example}”)",
    unread_dates="No date can be read{example}, so all articles count as one day.",
    undated="Not counted, as their dates cannot be read: {articles}{example}.",
    other_days="On days that are not of this report: {articles}.",
    uncertain_note="Uncertain: a decision of the model is close to its threshold. Check the topics.",
    changes_note="Up and down: the log-odds ratio of the topic's shares, half an article added to each count, over its standard error "
    "(Haldane 1956; Agresti, Categorical Data Analysis), widened by how much the days before vary; shown where |z| ≥ {z}, so that "
    "small counts are not made much of.",
    headlines_note="Headlines: how close the TF-IDF is to the topic's centre (Radev et al. 2004), times the topic's probability.",
    pairs_note="Pairs: lift (Brin et al. 1997), at least {support} articles, ordered by the log-likelihood ratio (Dunning 1993).",
    numbers_note="The same numbers are in the folder “{folder}” as CSV.",
)  # fmt: skip
