// The files view: a file of articles goes to the server, its topics come back as counts and as a table.

import { openArticle } from "./article.js";
import { Failure } from "./api.js";
import { byId, element } from "./dom.js";
import { showFailure } from "./failure.js";
import { compare, nameOf, number, percent, say, sayNote } from "./language.js";
import { Result } from "./result.js";
import { taxonomy } from "./taxonomy.js";
import { upload } from "./upload.js";

const FORMAT = /\.(csv|jsonl|ndjson|parquet)(\.gz|\.zst)?$/i;
const PAGE = 50;
const MEGABYTE = 1e6;

let running = null; // the AbortController of the work in hand
let shown = null; // {name, result, summary, url, rejected, reasons, names}
let filter = { topic: null, note: null, from: 0 };
let asked = 0;

/** Sends a file and shows what comes back. */
async function file(chosen) {
  running?.abort();
  clear();
  showFailure(byId("files-error"), null);
  const format = FORMAT.exec(chosen.name)?.[1].toLowerCase();
  if (!format) return complain(say("wrong_file", { name: chosen.name }));
  if (!chosen.size) return complain(say("empty_file", { name: chosen.name }));
  const controller = (running = new AbortController());
  const { signal } = controller;
  const named = { title: byId("title-column").value.trim(), text: byId("text-column").value.trim() };
  const query = new URLSearchParams({ format: format === "ndjson" ? "jsonl" : format });
  if (named.title) query.set("title_column", named.title);
  if (named.text) query.set("text_column", named.text);
  if (byId("all-topics").checked) query.set("all", "true");
  const result = new Result((share) => working(say("reading", { percent: percent(share) }), share));
  signal.addEventListener("abort", () => result.close());
  try {
    working(say("uploading", { name: chosen.name, percent: percent(0) }), 0);
    const { blob, header } = await upload(`v1/files?${query}`, chosen, (state, value) => tell(chosen.name, state, value), signal);
    const [summary, { topics }] = await Promise.all([result.read(blob, named), taxonomy()]);
    signal.throwIfAborted();
    shown = {
      name: chosen.name,
      result,
      summary,
      url: URL.createObjectURL(blob),
      rejected: Number(header("Kanal-Rejected")) || 0,
      reasons: reasonsIn(header("Kanal-Rejected-Rows")),
      names: new Map(topics.map((topic) => [topic.id, topic])),
    };
    filter = { topic: null, note: null, from: 0 };
    byId("files-said").textContent = say("done", { n: summary.rows });
    draw();
  } catch (failure) {
    result.close();
    if (signal.aborted) return;
    if (!(failure instanceof Failure)) return complain(say("broken_result"));
    if (failure.status === 422) byId("file-options").open = true;
    showFailure(byId("files-error"), failure, () => file(chosen));
  } finally {
    if (running === controller) working(null);
  }
}

function reasonsIn(header) {
  try {
    return JSON.parse(header ?? "[]");
  } catch {
    return [];
  }
}

function complain(sentence) {
  byId("files-error").hidden = false;
  byId("files-error").replaceChildren(element("p", {}, sentence));
}

function tell(name, state, value) {
  if (state === "uploading") working(say("uploading", { name, percent: percent(value) }), value);
  else if (state === "working") working(say("working", { name }));
  else working(say("receiving", { megabytes: number(Math.round((10 * value) / MEGABYTE) / 10) }));
}

/** Says what is going on, and how much of it is done where that is known; null when nothing is. */
function working(said, share) {
  byId("work-state").hidden = said === null;
  byId("work-said").textContent = said;
  if (share === undefined) byId("work-bar").removeAttribute("value");
  else byId("work-bar").value = share;
}

function clear() {
  if (shown) {
    shown.result.close();
    URL.revokeObjectURL(shown.url);
  }
  shown = null;
  byId("result").hidden = true;
  byId("result").replaceChildren();
  byId("files-said").textContent = "";
}

const nameOfId = (id) => (shown.names.has(id) ? nameOf(shown.names.get(id)) : id);

function draw() {
  if (!shown) return;
  const { name, summary, url, rejected } = shown;
  const facts = [say("rows", { n: summary.rows })];
  if (rejected) facts.push(say("rejected", { n: rejected }));
  facts.push(say("uncertain_rows", { n: summary.uncertain }));
  if (summary.otherNoted) facts.push(say("other_noted_rows", { n: summary.otherNoted }));
  const saved = `${name.replace(FORMAT, "")}-kanal.csv`;
  byId("result").hidden = false;
  byId("result").replaceChildren(
    element(
      "div",
      { class: "bar" },
      element("h3", { class: "file-name" }, say("result_heading", { name })),
      element("span", {}, facts.join(" · ")),
      element("span", { class: "gap" }),
      element("a", { class: "button strong", id: "download", href: url, download: saved }, say("download")),
    ),
    ...rejections(),
    element("div", { class: "result" }, chart(), table()),
  );
  drawRows();
}

function rejections() {
  const { rejected, reasons } = shown;
  if (!rejected) return [];
  const rows = reasons.map(({ line, reason }) =>
    element("li", {}, line ? say("rejected_line", { line, reason }) : say("rejected_row", { reason })),
  );
  if (rejected > reasons.length) rows.push(element("li", {}, say("rejected_more", { n: rejected - reasons.length })));
  return [element("details", { class: "rejected" }, element("summary", {}, say("rejected", { n: rejected })), element("ul", {}, ...rows))];
}

function chart() {
  const { counts, unfiled } = shown.summary;
  const bars = unfiled ? [...counts, ["", unfiled]] : counts;
  const most = Math.max(...bars.map(([, n]) => n), 1);
  return element(
    "section",
    { class: "chart", "aria-labelledby": "counts-heading" },
    element("h4", { id: "counts-heading" }, say("counts_heading")),
    element(
      "ul",
      {},
      ...bars.map(([topic, n]) => {
        const bar = element("span", { class: "count", "aria-hidden": "true" });
        bar.style.setProperty("--share", n / most);
        const name = topic ? nameOfId(topic) : say("no_topic");
        const only = () => show({ topic: filter.topic === topic ? null : topic });
        const button = element(
          "button",
          { type: "button", "data-topic": topic, onclick: only },
          element("span", { class: "name" }, name),
          " ",
          element("span", { class: "figure" }, number(n)),
          bar,
        );
        return element("li", {}, button);
      }),
    ),
  );
}

function table() {
  const { counts, unfiled } = shown.summary;
  const option = (value, text) => element("option", { value }, text);
  const named = counts.map(([id]) => [id, nameOfId(id)]).sort((one, other) => compare(one[1], other[1]));
  const topic = element("select", { id: "only-topic" }, option("*", say("all_rows")), ...named.map(([id, name]) => option(`=${id}`, name)));
  if (unfiled) topic.append(option("=", say("no_topic")));
  topic.onchange = () => show({ topic: topic.value === "*" ? null : topic.value.slice(1) });
  const note = element(
    "select",
    { id: "only-note" },
    option("", say("any_note")),
    option("uncertain", say("only_uncertain")),
    option("any", say("only_noted")),
  );
  note.onchange = () => show({ note: note.value || null });
  const turn = (id, pages) =>
    element("button", { type: "button", id, onclick: () => show({ from: filter.from + pages * PAGE }) }, say(id));
  const heading = (key, classes) => element("th", { scope: "col", class: classes }, say(key));
  return element(
    "section",
    { class: "rows", "aria-labelledby": "rows-heading" },
    element("h4", { id: "rows-heading" }, say("rows_heading")),
    element(
      "div",
      { class: "bar" },
      element("span", { class: "filter" }, element("label", { htmlFor: "only-topic" }, say("filter_topic")), topic),
      element("span", { class: "filter" }, element("label", { htmlFor: "only-note" }, say("filter_note")), note),
      element("span", { class: "gap" }),
      element("span", { id: "rows-shown", role: "status" }),
      turn("previous", -1),
      turn("next", 1),
    ),
    element(
      "table",
      { "aria-labelledby": "rows-heading" },
      element("thead", {}, element("tr", {}, heading("column_number", "no"), heading("column_article", ""), heading("column_topics", "topics"))),
      element("tbody", { id: "rows" }),
    ),
  );
}

/** Shows the rows that a change of the filter leaves. */
function show(change) {
  filter = { ...filter, from: 0, ...change };
  drawRows();
}

async function drawRows() {
  const { result } = shown;
  const call = ++asked;
  const { total, rows } = await result.page({ ...filter, size: PAGE });
  if (call !== asked || shown?.result !== result) return;
  byId("only-topic").value = filter.topic === null ? "*" : `=${filter.topic}`;
  byId("only-note").value = filter.note ?? "";
  for (const button of document.querySelectorAll(".chart button")) {
    button.setAttribute("aria-pressed", String(button.dataset.topic === filter.topic));
  }
  const [from, to] = [filter.from + 1, filter.from + rows.length];
  byId("rows-shown").textContent = total ? say("shown", { from, to, n: total }) : say("shown_none");
  byId("previous").disabled = filter.from === 0;
  byId("next").disabled = to >= total;
  byId("rows").replaceChildren(...rows.map(drawRow));
}

function drawRow({ number: place, title, snippet, topics, probabilities, notes }) {
  const open = async () => {
    openArticle(await shown.result.article(place));
    location.hash = "/article";
  };
  const filed = topics.map((topic, i) =>
    element("li", {}, nameOfId(topic), " ", element("span", { class: "figure" }, percent(probabilities[i] ?? 0))),
  );
  const noted = notes.map((note) => element("li", { class: "note" }, sayNote(note, { short: true })));
  return element(
    "tr",
    {},
    element("td", { class: "no" }, number(place + 1)),
    element(
      "td",
      {},
      element("button", { type: "button", class: "plain", title: say("open_row"), onclick: open }, title.trim() || say("untitled")),
      element("p", { class: "snippet" }, snippet),
    ),
    element("td", {}, element("ul", { class: "filed" }, ...filed, ...noted)),
  );
}

/** Makes the view work. */
export function startFiles() {
  byId("file").onchange = ({ target }) => {
    if (target.files.length) file(target.files[0]);
    target.value = "";
  };
  byId("cancel").onclick = () => {
    running?.abort();
    working(null);
    byId("files-said").textContent = say("cancelled");
    byId("file").focus();
  };
  const panel = byId("files");
  panel.addEventListener("dragover", () => panel.classList.add("over"));
  panel.addEventListener("dragleave", () => panel.classList.remove("over"));
  panel.addEventListener("drop", (event) => {
    panel.classList.remove("over");
    if (event.dataTransfer.files.length) file(event.dataTransfer.files[0]);
  });
  document.addEventListener("language", draw);
}
