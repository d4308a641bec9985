"""A coverage report as one page of HTML that can be sent round: read on a phone, on paper, in the dark, without a network."""

import html
from collections.abc import Mapping

import numpy as np

from serve.topics import Topic
from train.pages import Cell, Markup, Section, Table, to_html
from workbench.bar_chart import bar_chart
from workbench.changes import LEAST_Z
from workbench.coverage import Coverage
from workbench.coverage_words import ENGLISH, INDONESIAN, Words
from workbench.headlines import Headline
from workbench.pairs import LEAST_SUPPORT

LANGUAGES = {"id": INDONESIAN, "en": ENGLISH}
# So many topics are named in a sentence, and so many rows and columns shown.
NAMED = 3
CHANGES, PAIRS, OUTLETS = 6, 10, 10
# The shades of the heat map, from 0.
SHADES = 6


def report_html(coverage: Coverage, taxonomy: Mapping[str, Topic], language: str, csv_folder: str) -> str:
    """The page, with topics named as in the taxonomy; `csv_folder` is where it says that the figures are."""
    return _Page(coverage, taxonomy, LANGUAGES[language]).html(csv_folder)


class _Page:
    """The parts of a page, which share its figures and words."""

    def __init__(self, coverage: Coverage, taxonomy: Mapping[str, Topic], words: Words) -> None:
        self.coverage = coverage
        self.words = words
        self.names = [words.name(topic, taxonomy) for topic in coverage.topics]
        self.name = dict(zip(coverage.topics, self.names, strict=True))
        self.articles = coverage.per_day("articles")
        self.counts = coverage.topics_per_day()
        self.count = dict(zip(coverage.topics, self.counts[:, -1].tolist(), strict=True))
        self.anchors = {topic: f"headlines-{j}" for j, topic in enumerate(coverage.topics)}
        self.compared = len(coverage.days) > 1
        clear = [change for change in coverage.changes() if change.is_clear]
        # The clearest first.
        self.up = [change for change in clear if change.z > 0]
        self.down = [change for change in clear[::-1] if change.z < 0]
        self.arrows = {change.topic: f"▲ {words.rising}" if change.z > 0 else f"▼ {words.falling}" for change in clear}
        self.labels = [words.short_day(day, month_letters=3) if day else "" for day in coverage.days]
        named = coverage.by_outlet[coverage.by_outlet["outlet"] != ""]
        self.outlets_per_day = named.groupby("day").size().reindex(range(len(self.labels)), fill_value=0).to_numpy()
        self.has_outlets = bool(self.outlets_per_day[-1])

    @property
    def before(self) -> str:
        return self.words.several(self.words.n_days_before, len(self.coverage.days) - 1)

    def html(self, csv_folder: str) -> str:
        words, day = self.words, self.coverage.days[-1]
        sections = [
            *([Section(words.changes_heading, self.risen_and_fallen(), "changes")] if self.compared else []),
            Section(words.topics_heading, self.topics(), "topics"),
            Section(words.headlines_heading, self.headlines(), "headlines"),
            Section(words.outlets_heading, self.outlets(), "outlets"),
            Section(words.pairs_heading, self.pairs(), "pairs"),
            *([Section(words.numbers_heading, [self.numbers()], "numbers")] if self.compared else []),
            Section(words.notes_heading, self.notes(csv_folder), "notes"),
        ]
        links = "".join(f'<a href="#{part.anchor}">{html.escape(part.heading)}</a>' for part in sections)
        nav = Markup(f'<nav aria-label="{html.escape(words.contents)}">{links}</nav>')
        title = words.title.format(day=words.day(day)) if day else words.undated_title
        first = Section("", [self.summary(), self.tiles(), *self.days(), nav])
        return to_html(title, [first, *sections], language=words.language, more_style=STYLE)

    def summary(self) -> str:
        """The report in a few sentences."""
        words, articles, change = self.words, int(self.articles[-1]), ""
        if self.compared:
            ratio = articles / self.articles[:-1].mean() - 1
            form = words.as_many if abs(ratio) < 0.005 else words.more if ratio > 0 else words.fewer
            change = form.format(percent=words.number(100 * abs(ratio)) + "%", before=self.before)
        sentence = words.summary_outlets if self.has_outlets else words.summary
        outlets = words.several(words.n_outlets, int(self.outlets_per_day[-1]))
        said = [sentence.format(articles=words.several(words.n_articles, articles), outlets=outlets, change=change)]
        most = [f"{self.name[topic]} ({words.number(count)})" for topic, count in self.count.items() if count]
        if most:
            said.append(words.most.format(topics=", ".join(most[:NAMED])))
        for form, clear in ((words.up, self.up), (words.down, self.down)):
            if clear:
                said.append(form.format(topics=", ".join(self.name[change.topic] for change in clear[:NAMED])))
        if not self.compared:
            said.append(words.nothing_before)
        elif not self.arrows:
            said.append(words.neither)
        return " ".join(said)

    def tiles(self) -> Markup:
        """The figures of the day, each with what it was on the days before."""
        words, coverage = self.words, self.coverage
        numbers = [(words.articles, self.articles), (words.topics, (self.counts > 0).sum(axis=0))]
        if self.has_outlets:
            numbers.insert(1, (words.outlets, self.outlets_per_day))
        figures = [
            (label, words.number(days[-1]), words.number(days[:-1].mean() if self.compared else 0))
            for label, days in numbers
        ]
        for label, days in (
            (words.no_topic, coverage.per_day("no_topic")),
            (words.uncertain, coverage.per_day("uncertain")),
        ):
            before = days[:-1].sum() / max(self.articles[:-1].sum(), 1)
            figures.append((label, words.percent(days[-1] / self.articles[-1]), words.percent(before)))
        tiles = []
        for label, now, before in figures:
            usual = f"<span>{words.usually.format(figure=before)}</span>" if self.compared else ""
            tiles.append(f"<div><dt>{label}</dt><dd><strong>{now}</strong>{usual}</dd></div>")
        return Markup(f'<dl class="tiles">{"".join(tiles)}</dl>')

    def days(self) -> list[Markup]:
        """All articles of each day as a chart; none of one day alone."""
        if not self.compared:
            return []
        texts = [self.words.number(number) for number in self.articles]
        title = self.words.numbers_heading
        chart = bar_chart("days", title, self.labels, self.articles.tolist(), texts, lettered=True)
        return [Markup(f'<figure class="scroll" tabindex="0" aria-label="{html.escape(title)}">{chart}</figure>')]

    def risen_and_fallen(self) -> list[str | Table]:
        words = self.words
        rows: list[list[Cell]] = [
            [
                self.linked(change.topic),
                words.number(change.articles),
                words.percent(change.share),
                words.percent(change.share_before),
                words.number(change.ratio, 1),
                words.number(change.z, 1),
            ]
            for change in [*self.up[:CHANGES], *self.down[:CHANGES]]
        ]
        if not rows:
            return [words.neither]
        head = [words.topic, words.articles, words.share, words.share_before, words.times, "z"]
        return [words.changes_text.format(before=self.before), Table(head, rows)]

    def topics(self) -> list[str | Table]:
        words = self.words
        of_day = self.coverage.of_day(self.coverage.by_topic)
        uncertain = of_day.groupby("topic")["uncertain"].sum()
        shares = self.counts / np.maximum(self.articles, 1)
        before = self.counts[:, :-1].sum(axis=1) / max(self.articles[:-1].sum(), 1)
        rows: list[list[Cell]] = []
        for j, topic in enumerate(self.coverage.topics):
            if not self.count[topic]:
                continue
            row: list[Cell] = [self.linked(topic)]
            if self.compared:
                texts = [words.percent(share) for share in shares[j]]
                title = words.per_day_of.format(topic=self.names[j])
                row.append(Markup(bar_chart(f"topic-{j}", title, self.labels, shares[j].tolist(), texts)))
            row += [words.number(self.count[topic]), words.percent(shares[j, -1])]
            row += [words.percent(before[j])] if self.compared else []
            rows.append([*row, words.percent(uncertain[topic] / self.count[topic])])
        charts, compared = ([words.per_day], [words.share_before]) if self.compared else ([], [])
        absent = [self.name[topic] for topic, count in self.count.items() if not count]
        return [
            words.topics_text,
            Table([words.topic, *charts, words.articles, words.share, *compared, words.uncertain], rows),
            *([words.not_that_day.format(topics=", ".join(absent))] if absent else []),
        ]

    def linked(self, topic: str) -> Cell:
        """A topic's name, which leads to its headlines, and its arrow."""
        name = html.escape(self.name[topic])
        if topic in self.coverage.headlines:
            name = f'<a href="#{self.anchors[topic]}">{name}</a>'
        return Markup(f"{name} {self.arrows.get(topic, '')}")

    def headlines(self) -> list[str | Markup]:
        blocks = []
        for topic in self.coverage.topics:
            if found := self.coverage.headlines.get(topic):
                anchor, count = self.anchors[topic], self.count[topic]
                facts = f"{self.words.several(self.words.n_articles, count)} {self.arrows.get(topic, '')}"
                blocks.append(
                    f'<section aria-labelledby="{anchor}"><h3 id="{anchor}">{html.escape(self.name[topic])} '
                    f"<span>{facts}</span></h3><ul>{''.join(map(self.headline, found))}</ul></section>"
                )
        if not blocks:
            return [self.words.untitled]
        return [self.words.headlines_text, Markup(f'<div class="headlines">{"".join(blocks)}</div>')]

    def headline(self, headline: Headline) -> str:
        # In its own direction, whatever its letters are.
        title = f"<bdi>{html.escape(headline.title)}</bdi>"
        if headline.link:
            title = f'<a href="{html.escape(headline.link)}" rel="noopener noreferrer">{title}</a>'
        facts = [f"<bdi>{html.escape(headline.outlet)}</bdi>"] if headline.outlet else []
        if headline.similar:
            facts.append(html.escape(self.words.several(self.words.n_similar, headline.similar)))
        return f"<li>{title}" + (f" <span>{' · '.join(facts)}</span>" if facts else "") + "</li>"

    def outlets(self) -> list[str | Table]:
        """The heat map: topics by outlet, those with most articles; the others of a column together."""
        words, coverage = self.words, self.coverage
        if not self.has_outlets:
            return [words.no_outlets]
        totals = coverage.of_day(coverage.by_outlet).set_index("outlet").reindex(coverage.outlets)
        counts, columns = coverage.topics_per_outlet(), [outlet or words.no_outlet for outlet in coverage.outlets]
        figures = totals[["articles", "no_topic", "uncertain"]].to_numpy()
        if len(columns) > OUTLETS + 1:
            columns = [*columns[:OUTLETS], words.other_outlets.format(n=words.number(len(columns) - OUTLETS))]
            counts = np.column_stack([counts[:, :OUTLETS], counts[:, OUTLETS:].sum(axis=1)])
            figures = np.vstack([figures[:OUTLETS], figures[OUTLETS:].sum(axis=0)])
        articles, no_topic, uncertain = figures.T
        shares = counts / articles
        shades = np.ceil(SHADES * np.sqrt(shares / max(shares.max(initial=0), 1e-9))).astype(int)
        rows: list[list[Cell]] = [
            [self.names[j], *(self.shaded(*cell) for cell in zip(counts[j], shades[j], strict=True))]
            for j in np.flatnonzero(counts.any(axis=1))
        ]
        rows += [
            [words.articles, *map(words.number, articles)],
            [words.no_topic, *map(words.percent, no_topic / articles)],
            [words.uncertain, *map(words.percent, uncertain / articles)],
        ]
        return [words.outlets_text, Table([words.topic, *columns], rows)]

    def shaded(self, count: int, shade: int) -> Cell:
        return Markup(f'<span class="heat h{shade}">{self.words.number(count) if count else "·"}</span>')

    def pairs(self) -> list[str | Table]:
        words = self.words
        rows = [
            [
                " + ".join(self.name[topic] for topic in pair.topics),
                words.number(pair.support),
                words.number(pair.lift, 1),
            ]
            for pair in self.coverage.pairs[:PAIRS]
        ]
        if not rows:
            return [words.no_pairs]
        articles = words.several(words.n_articles, int(self.articles.sum()))
        return [words.pairs_text.format(articles=articles), Table([words.topics, words.together, words.lift], rows)]

    def numbers(self) -> Table:
        """What the charts show."""
        words = self.words
        rows = [
            [words.articles, *map(words.number, self.articles)],
            *([name, *map(words.number, row)] for name, row in zip(self.names, self.counts, strict=True)),
            *([label, *map(words.number, self.coverage.per_day(column))] for label, column in (
                (words.no_topic, "no_topic"), (words.uncertain, "uncertain"))),
        ]  # fmt: skip
        return Table([words.topic, *self.labels], rows)

    def notes(self, csv_folder: str) -> list[str]:
        words, left_out, notes = self.words, self.coverage.left_out, []
        example = words.example.format(example=left_out.example) if left_out.example else ""
        if self.coverage.days[-1] is None:
            notes.append(words.unread_dates.format(example=example) if left_out.example else words.no_dates)
        if left_out.undated:
            notes.append(
                words.undated.format(articles=words.several(words.n_articles, left_out.undated), example=example)
            )
        if left_out.other_days:
            notes.append(words.other_days.format(articles=words.several(words.n_articles, left_out.other_days)))
        notes.append(words.uncertain_note)
        if self.compared:
            notes.append(words.changes_note.format(z=words.number(LEAST_Z, 2)))
        notes += [words.headlines_note, words.pairs_note.format(support=LEAST_SUPPORT)]
        return [*notes, words.numbers_note.format(folder=csv_folder)]


STYLE = """
:root { --accent: #17507a; --bar: #b9c3cc; --heat: 31, 120, 193 }
@media (prefers-color-scheme: dark) { :root { --accent: #8cc0e8; --bar: #4c5660; --heat: 63, 143, 214 } }
a { color: var(--accent) }
main > p:first-of-type { font-size: 1.1rem }
.tiles { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 1rem 0 }
.tiles dt, .tiles span, .headlines span { color: var(--quiet); font-size: .85rem; font-weight: normal }
.tiles dd { margin: 0 } .tiles strong { display: block; font-size: 1.6rem; line-height: 1.2; font-weight: 600 }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 1rem 0 }
figure { margin: 1rem 0 } svg { display: block } .chart { max-width: 100%; height: auto }
.bar { fill: var(--bar) } .now { fill: var(--accent) } .floor { stroke: var(--line) }
text { fill: var(--ink); font-size: 11px; text-anchor: middle }
.headlines { columns: 24rem 2; column-gap: 2rem } .headlines section { break-inside: avoid; margin: 0 0 1rem }
h3 { font-size: 1rem; margin: 0 } .headlines ul { margin: .25rem 0 0; padding: 0; list-style: none }
.headlines li { margin: 0 0 .35rem; overflow-wrap: anywhere }
.heat { display: block; text-align: right; min-width: 1.5rem } .h0 { color: var(--quiet) }
td:has(.h1) { background: rgba(var(--heat), .1) } td:has(.h2) { background: rgba(var(--heat), .18) }
td:has(.h3) { background: rgba(var(--heat), .26) } td:has(.h4) { background: rgba(var(--heat), .34) }
td:has(.h5) { background: rgba(var(--heat), .42) } td:has(.h6) { background: rgba(var(--heat), .5) }
th:first-child { position: sticky; left: 0; background: var(--paper) }
@media (max-width: 40rem) {
  table { font-size: .8rem } th, td { padding-right: .45rem } th[scope=row] { max-width: 8rem }
  .spark { width: 4rem } .tiles { gap: .5rem 1.25rem } .tiles strong { font-size: 1.25rem }
}
@media print {
  :root { color-scheme: light; --ink: #1b1b1b; --paper: #fff; --line: #ddd; --quiet: #666; --accent: #17507a; --bar: #b9c3cc; --heat: 31, 120, 193 }
  body { max-width: none; padding: 0; font-size: 10pt } nav { display: none } .scroll { overflow: visible }
  td, svg { print-color-adjust: exact } h2, h3 { break-after: avoid } tr { break-inside: avoid } a { color: inherit }
}
"""
