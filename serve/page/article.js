// The article view: what is typed or pasted is filed as soon as the typing stops, and a topic's words are shown.

import { call, Failure } from "./api.js";
import { readArticle } from "./article-file.js";
import { byId, element } from "./dom.js";
import { EXAMPLE } from "./example.js";
import { showFailure } from "./failure.js";
import { nameOf, percent, say, sayNote, signed } from "./language.js";
import { legendOf, readingOf, wordLists } from "./reading.js";

const PAUSE = 120; // milliseconds without a key
const WORDS = 100;
const LISTED_WORDS = 8;
const LONGEST_WAIT = 30; // seconds

/** What is shown: the article as it was sent, its topics, and those explained by id. */
const NOTHING = { sent: { title: "", text: "" }, answer: null, removed: [], explained: new Map() };
let shown = NOTHING;
let chosen = null; // the topic that the user looks at; null: the likeliest of those assigned
let running = new AbortController();
let pause = 0;
let announced = "";

const article = () => ({ title: byId("title").value.toWellFormed(), text: byId("text").value.toWellFormed() });

/** Puts another article into the fields. */
export function openArticle({ title, text }) {
  byId("title").value = title;
  byId("text").value = text;
  chosen = null;
  file();
}

function soon(wait) {
  clearTimeout(pause);
  pause = setTimeout(file, wait);
}

/** Files the article that stands in the fields; a call that is still running is given up. */
async function file() {
  clearTimeout(pause);
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const sent = article();
  showFailure(byId("article-error"), null);
  if (!sent.title.trim() && !sent.text.trim()) {
    shown = NOTHING;
    chosen = null;
    byId("article").ariaBusy = null;
    return draw();
  }
  byId("article").ariaBusy = "true";
  try {
    // Both are asked for at once; the topics come first, and the words before stay until their own are there.
    const explaining = explain(sent, chosen, signal);
    explaining.catch(() => {});
    const answer = (await call("v1/predict?all=true", { body: { articles: [sent] }, signal })).articles[0];
    shown = { ...shown, answer };
    drawAnswer();
    announce();
    const explanation = await explaining;
    const explained = new Map(explanation.topics.map((topic) => [topic.id, topic]));
    shown = { sent, answer, removed: explanation.removed, explained };
    draw();
  } catch (failure) {
    fail(failure, signal, file);
  } finally {
    if (!signal.aborted) byId("article").ariaBusy = null;
  }
}

const explain = ({ title, text }, topic, signal) =>
  call(`v1/explain?words=${WORDS}`, { body: { title, text, ...(topic ? { topics: [topic] } : {}) }, signal });

/** Shows the words of a topic, and the text to read. */
async function choose(id) {
  chosen = id;
  view("read");
  if (matchMedia("(max-width: 52rem)").matches) byId("reading").scrollIntoView({ block: "nearest" });
  if (byId("article").ariaBusy) return file();
  if (shown.explained.has(id)) return draw();
  const { sent, explained } = shown;
  const { signal } = running;
  draw();
  try {
    for (const topic of (await explain(sent, id, signal)).topics) explained.set(topic.id, topic);
    draw();
  } catch (failure) {
    fail(failure, signal, () => choose(id));
  }
}

function fail(failure, signal, retry) {
  if (signal.aborted) return;
  const told = failure instanceof Failure ? failure : new Failure(-1, String(failure));
  const waits = told.wait > 0 && told.wait <= LONGEST_WAIT;
  showFailure(byId("article-error"), told, retry, waits);
  if (waits) soon(told.wait * 1000);
}

function announce() {
  const names = shown.answer.topics.filter(({ assigned }) => assigned).map(nameOf);
  const said = names.length ? say("said_topics", { topics: names.join(", ") }) : say("none_assigned");
  if (said !== announced) byId("said").textContent = said;
  announced = said;
}

/** Shows the text to edit or to read; wide screens show both. */
function view(name) {
  document.querySelector("#article .work").dataset.view = name;
  byId("edit").setAttribute("aria-pressed", String(name === "edit"));
  byId("read").setAttribute("aria-pressed", String(name === "read"));
}

/** The explained topic that is shown, null while there is none. */
const looked = () => (chosen ? (shown.explained.get(chosen) ?? null) : (shown.explained.values().next().value ?? null));

function draw() {
  drawAnswer();
  const { sent, removed } = shown;
  const topic = looked();
  const words = topic?.words ?? [];
  drawWords(topic);
  byId("legend").replaceChildren(...(topic ? legendOf(nameOf(topic), words, removed) : []));
  const reading = sent.title || sent.text ? readingOf(sent, words, removed) : [element("p", { class: "quiet" }, say("reading_empty"))];
  byId("reading").replaceChildren(...reading);
}

function drawAnswer() {
  const { answer } = shown;
  const topics = answer?.topics ?? [];
  const assigned = topics.filter((one) => one.assigned);
  const others = topics.filter((one) => !one.assigned);
  byId("empty").hidden = Boolean(answer);
  const notes = (answer?.notes ?? []).map((note) => element("li", {}, sayNote(note)));
  if (answer && !assigned.length) notes.push(element("li", { class: "plain" }, say("none_assigned")));
  byId("notes").replaceChildren(...notes);
  byId("others").hidden = !others.length;
  byId("others").querySelector("summary").textContent = say("other_topics", { n: others.length });
  const pressed = chosen ?? looked()?.id;
  drawTopics(byId("assigned"), assigned, pressed);
  drawTopics(byId("others").querySelector("ul"), others, pressed);
}

function drawTopics(list, topics, looked) {
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.topic : null;
  list.replaceChildren(
    ...topics.map((topic) => {
      const bar = element("span", { class: "chance", "aria-hidden": "true" }, element("span", { class: "threshold" }));
      bar.style.setProperty("--probability", topic.probability);
      bar.style.setProperty("--threshold", topic.threshold);
      const filed = `, ${say(topic.assigned ? "filed" : "not_filed")}, ${say("threshold", { threshold: percent(topic.threshold) })}`;
      const button = element(
        "button",
        { type: "button", "data-topic": topic.id, "aria-pressed": String(topic.id === looked), onclick: () => choose(topic.id) },
        element("span", { class: "name" }, nameOf(topic)),
        " ",
        element("span", { class: "figure" }, percent(topic.probability)),
        element("span", { class: "hidden" }, filed),
        bar,
      );
      button.title = say("threshold", { threshold: percent(topic.threshold) });
      return element("li", { class: topic.assigned ? "assigned" : "" }, button);
    }),
  );
  if (focused !== null) [...list.querySelectorAll("button")].find((button) => button.dataset.topic === focused)?.focus();
}

function drawWords(topic) {
  const place = byId("words");
  place.hidden = !topic;
  place.replaceChildren();
  if (!topic) return;
  place.append(element("h3", {}, say("words_heading", { topic: nameOf(topic) })));
  if (!topic.assigned && chosen === null) place.append(element("p", { class: "quiet" }, say("words_closest")));
  place.append(wordLists(topic.words, LISTED_WORDS));
  place.append(element("p", { class: "quiet" }, say("words_sum", { score: signed(topic.score), bias: signed(topic.bias) })));
}

async function openFile(chosenFile) {
  openArticle(await readArticle(chosenFile));
}

/** Makes the view work. */
export function startArticle() {
  for (const field of [byId("title"), byId("text")]) {
    field.addEventListener("input", (event) => soon(/^insertFrom/.test(event.inputType) ? 0 : PAUSE));
  }
  byId("edit").onclick = () => view("edit");
  byId("read").onclick = () => view("read");
  byId("example").onclick = () => openArticle(EXAMPLE);
  byId("clear").onclick = () => {
    openArticle({ title: "", text: "" });
    view("edit");
    byId("text").focus();
  };
  byId("open-article").onchange = async ({ target }) => {
    if (target.files.length) await openFile(target.files[0]);
    target.value = "";
  };
  const panel = byId("article");
  panel.addEventListener("dragover", (event) => {
    event.preventDefault();
    panel.classList.add("over");
  });
  panel.addEventListener("dragleave", () => panel.classList.remove("over"));
  panel.addEventListener("drop", (event) => {
    panel.classList.remove("over");
    const { files } = event.dataTransfer;
    const text = event.dataTransfer.getData("text/plain");
    // The browser itself puts dragged text where it is dropped in a field.
    if (!files.length && /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
    event.preventDefault();
    if (files.length) openFile(files[0]);
    else if (text) openArticle({ title: "", text });
  });
  document.addEventListener("language", draw);
  draw();
}
