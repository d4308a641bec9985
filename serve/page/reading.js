// The article as it is read: the words that decide are marked, what cleaning took out is greyed.

import { element } from "./dom.js";
import { say, sayOr, signed } from "./language.js";

const LEVELS = 4;
const WEAKEST = 0.07; // of the strongest: weaker words decide nothing, and would colour the whole text

/** The UTF-16 offset of each code point of a text, and of its end: spans count code points, strings do not. */
export function offsets(text) {
  const starts = [];
  let at = 0;
  for (const character of text) {
    starts.push(at);
    at += character.length;
  }
  starts.push(at);
  return starts;
}

/**
 * The pieces of a text, in order: {text, value, kind}. `value` is the sum of the words that stand there, 0 for none;
 * `kind` tells what cleaning took it out as. Words and removals are spans of code points.
 */
export function pieces(text, words, removed) {
  const at = offsets(text);
  const changes = new Map([[0, []], [at.length - 1, []]]);
  const change = (place, what) => {
    const there = Math.max(0, Math.min(place, at.length - 1));
    if (!changes.has(there)) changes.set(there, []);
    changes.get(there).push(what);
  };
  words.forEach(({ start, end, value }, number) => {
    change(start, { number, value });
    change(end, { number });
  });
  for (const { start, end, kind } of removed) {
    change(start, { kind, opens: true });
    change(end, { kind });
  }
  const there = new Map();
  const kinds = [];
  const found = [];
  const places = [...changes.keys()].sort((one, other) => one - other);
  places.forEach((place, i) => {
    for (const { number, value, kind, opens } of changes.get(place)) {
      if (opens) kinds.push(kind);
      else if (kind !== undefined) kinds.splice(kinds.indexOf(kind), 1);
      else if (value !== undefined) there.set(number, value);
      else there.delete(number);
    }
    const piece = text.slice(at[place], at[places[i + 1]]);
    if (i + 1 === places.length || !piece) return;
    const value = [...there.values()].reduce((sum, one) => sum + one, 0);
    found.push({ text: piece, value, kind: kinds.at(-1) ?? null });
  });
  return found;
}

/** The same pieces with `level` in place of `value`, from -LEVELS to LEVELS: 0 is unmarked. Spaces are marked within a phrase. */
export function levelled(found, strongest) {
  const levels = found.map(({ text, value }) => {
    const share = Math.abs(value) / strongest;
    return text.trim() && share >= WEAKEST ? Math.sign(value) * Math.ceil(LEVELS * share) : 0;
  });
  found.forEach(({ text, value }, i) => {
    if (!text.trim() && value && levels[i - 1] === levels[i + 1]) levels[i] = levels[i - 1] ?? 0;
  });
  const joined = [];
  found.forEach(({ text, kind }, i) => {
    const last = joined.at(-1);
    if (last && last.level === levels[i] && last.kind === kind) last.text += text;
    else joined.push({ text, kind, level: levels[i] });
  });
  return joined;
}

function spansOf(words, field) {
  return words.flatMap(({ value, spans }) =>
    spans.filter((span) => span.field === field).map(({ start, end }) => ({ start, end, value })),
  );
}

/** Title and text of an article with the words of one explained topic (or none) marked: nodes to show. */
export function readingOf({ title, text }, words, removed) {
  const parts = [pieces(title, spansOf(words, "title"), []), pieces(text, spansOf(words, "text"), removed)];
  const strongest = Math.max(...parts.flat().map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  const [heading, body] = parts.map((found) => levelled(found, strongest));
  const nodes = title ? [element("h3", {}, ...heading.map(drawn))] : [];
  nodes.push(element("div", { class: "body" }, ...body.map(drawn)));
  return nodes;
}

function drawn({ text, level, kind }) {
  let node = document.createTextNode(text);
  if (level) node = element("mark", { class: `${level > 0 ? "for" : "against"} level-${Math.abs(level)}` }, node);
  if (kind === null) return node;
  const said = say("removed_is", { kind: kindName(kind) });
  return element("del", { title: said.replace(/:$/, "") }, element("span", { class: "hidden" }, `${said} `), node);
}

export const kindName = (kind) => sayOr(`kind_${kind}`, kind);

/** What the marks mean: nodes to show. */
export function legendOf(topic, words, removed) {
  const nodes = [];
  if (words.some(({ value }) => value > 0)) nodes.push(sample("mark", "for level-3", say("legend_for", { topic })));
  if (words.some(({ value }) => value < 0)) nodes.push(sample("mark", "against level-3", say("legend_against")));
  const kinds = new Set(removed.map(({ kind }) => kindName(kind)));
  if (kinds.size) nodes.push(sample("del", "", [say("legend_removed"), [...kinds].join(", ")].join(" ")));
  if (words.some(({ count, spans }) => spans.length < count)) nodes.push(element("span", {}, say("legend_first")));
  return nodes;
}

const sample = (name, classes, text) => element("span", {}, element(name, { class: classes, "aria-hidden": "true" }, "abc"), ` ${text}`);

/** The words for and against a topic, strongest first, with their values: a list each. */
export function wordLists(words, most) {
  const strongest = Math.max(...words.map(({ value }) => Math.abs(value)), Number.MIN_VALUE);
  const list = (heading, chosen) => {
    const rows = chosen.slice(0, most).map(({ term, value }) => {
      const bar = element("span", { class: `strength ${value > 0 ? "for" : "against"}`, "aria-hidden": "true" });
      bar.style.setProperty("--share", Math.abs(value) / strongest);
      return element("li", {}, element("span", { class: "term", lang: "id" }, term), " ", element("span", { class: "figure" }, signed(value)), bar);
    });
    return element(
      "div",
      {},
      element("h4", {}, heading),
      rows.length ? element("ol", {}, ...rows) : element("p", { class: "quiet" }, say("words_none")),
    );
  };
  return element(
    "div",
    { class: "word-lists" },
    list(say("words_for"), words.filter(({ value }) => value > 0)),
    list(say("words_against"), words.filter(({ value }) => value < 0)),
  );
}
