// The labelling view: one article after another, its topics chosen by keys, each label kept at once.

import { call, Failure } from "./api.js";
import { chosenTopics, drawChoices, named, startChoices, toggledBy } from "./choices.js";
import { byId, element } from "./dom.js";
import { showFailure } from "./failure.js";
import { drawList, startList } from "./label-list.js";
import { drawQuestion } from "./label-question.js";
import { say } from "./language.js";
import { mayAsk } from "./key.js";
import { entries, keep, newKey, passing, send, stored as outlives } from "./outbox.js";
import { store, stored } from "./storage.js";

const AGAIN = 5; // seconds until what could not be sent is sent again

let annotator = stored("annotator") ?? "";
let topics = []; // to choose from
let task = null; // the article shown
let state = { tasks: 0, labelled: 0, annotators: [] };
let busy = false;
let confirming = false; // Save was asked for without a topic
let touched = false; // the user has done something here, so the focus may move
let again = 0;

/** Does one thing after the other: what is asked for meanwhile is for an article that is about to go. */
async function alone(work) {
  if (busy) return;
  busy = true;
  byId("label").ariaBusy = "true";
  clearTimeout(again);
  showFailure(byId("label-error"), null);
  try {
    await work();
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    showFailure(byId("label-error"), failure, () => alone(work));
    if (work === advance && passing(failure)) soon(failure);
  } finally {
    busy = false;
    byId("label").ariaBusy = null;
    drawUnsent();
  }
}

function soon({ wait }) {
  again = setTimeout(() => alone(advance), 1000 * (wait || AGAIN));
}

/** Sends what waits, then shows what is to be decided: a label that was refused, or the next article. */
async function advance() {
  task = null; // and what is still to be seen takes no more choices
  try {
    if (!topics.length) topics = (await call("v1/labels/topics")).topics;
    const failure = await send(({ title }) => tell(say("label_saved", { title })));
    if (failure || refused()) present(null);
    if (failure) return soon(failure);
    if (refused()) return ask(refused());
    const [{ task: next }] = await Promise.all([call("v1/labels/next", { body: { annotator } }), count()]);
    present(next);
    if (!next) finish();
  } catch (failure) {
    present(null);
    throw failure;
  }
}

async function count() {
  state = await call("v1/labels");
  drawCount();
  if (byId("label-list").open) await drawList(annotator, state);
}

const refused = () => entries().find(({ refusal }) => refusal);

function save() {
  if (!task || busy) return;
  if (!chosenTopics().length && !confirming) {
    confirming = true;
    return drawChosen();
  }
  const { id, title, revision } = task;
  keep({ key: newKey(), id, title, topics: chosenTopics(), annotator, revision });
  tell("");
  alone(advance);
}

async function skip() {
  if (!task || busy) return;
  const { id, title } = task;
  await alone(async () => {
    await call("v1/labels/skip", { body: { id, annotator } });
    tell(say("label_skipped", { title }));
    task = null;
  });
  if (!task) alone(advance);
}

function undo() {
  if (busy) return;
  if (entries().length) return tell(say("label_undo_waits"));
  alone(async () => {
    const { task: before, topics: chosen } = await call("v1/labels/undo", { body: { annotator } });
    if (!before) return tell(say("label_nothing_undone"));
    await count();
    present(before, chosen ?? []);
    tell(say("label_undone", { title: before.title }));
  });
}

/** Shows an article of the list. */
const open = (id) => alone(async () => present(await call(`v1/labels/task?${new URLSearchParams({ id })}`)));

const tell = (sentence) => (byId("label-said").textContent = sentence);

/** Shows an article, with these topics chosen or those of its label; null shows none. */
function present(wanted, chosen = wanted?.label?.topics ?? []) {
  task = wanted;
  confirming = false;
  byId("label-question").hidden = byId("label-done").hidden = true;
  byId("label-task").hidden = !task;
  if (!task) return;
  byId("label-filter").value = "";
  drawTask(chosen);
  takeFocus(byId("label-article").querySelector("h2"));
}

/** What is new is read out, and no button of before takes the next key. */
function takeFocus(heading) {
  const { activeElement } = document;
  if (!touched || (activeElement !== document.body && !byId("label").contains(activeElement))) return;
  if (byId("labelling").getBoundingClientRect().top < 0) byId("labelling").scrollIntoView();
  heading.focus({ preventScroll: true });
}

function drawTask(chosen) {
  const { title, text, date, outlet, reason, suggested, label } = task;
  const facts = [outlet, date, reason && say("label_reason", { reason })].filter(Boolean);
  byId("label-article").replaceChildren(
    element("h2", { tabIndex: -1 }, title.trim() || say("untitled")),
    element("p", { class: "quiet", lang: document.documentElement.lang }, facts.join(" · ")),
    ...(label ? [element("p", { class: "before", lang: document.documentElement.lang }, before(label))] : []),
    ...text
      .split(/\n\s*\n/)
      .filter((paragraph) => paragraph.trim())
      .map((paragraph) => element("p", {}, paragraph.trim())),
  );
  drawChoices(topics, suggested, chosen, () => {
    confirming = false;
    drawChosen();
  });
  drawChosen();
}

const before = ({ annotator: name, topics: ids }) => say("label_before", { name, topics: named(ids) });

function drawChosen() {
  const ids = chosenTopics();
  const none = say(confirming ? "label_confirm_none" : "label_chosen_none");
  byId("label-chosen").textContent = ids.length ? say("label_chosen", { topics: named(ids) }) : none;
  byId("label-chosen").classList.toggle("asking", confirming);
}

function drawCount() {
  const { tasks, labelled, annotators } = state;
  const yours = annotators.find((one) => one.annotator === annotator)?.labels ?? 0;
  byId("label-progress").max = Math.max(tasks, 1);
  byId("label-progress").value = labelled;
  byId("label-count").textContent = say("label_count", { labelled, tasks, yours });
}

function drawUnsent() {
  const waiting = entries().filter(({ refusal }) => !refusal).length;
  if (!waiting) return byId("label-unsent").replaceChildren();
  const now = () => {
    mayAsk();
    alone(advance);
  };
  byId("label-unsent").replaceChildren(
    element("p", {}, say("label_unsent", { n: waiting })),
    ...(outlives() ? [] : [element("p", {}, say("label_unstored"))]),
    element("button", { type: "button", onclick: now }, say("label_send")),
  );
}

function ask(entry) {
  drawQuestion(entry, () => alone(advance));
  byId("label-question").hidden = false;
  takeFocus(byId("question-heading"));
}

function finish() {
  const left = state.tasks - state.labelled;
  const [heading, hint] = byId("label-done").children;
  heading.textContent = say(left ? "label_done_now" : "label_done");
  hint.textContent = left ? say("label_left", { n: left }) : say("label_done_hint");
  byId("label-done").hidden = false;
  takeFocus(heading);
}

/** Shows the view: the name is asked for first. */
export function showLabelling() {
  byId("annotator-form").hidden = Boolean(annotator);
  byId("labelling").hidden = !annotator;
  byId("annotator-name").textContent = say("annotator_is", { name: annotator });
  if (!annotator) return touched && byId("annotator").focus();
  if (!task && byId("label-done").hidden && byId("label-question").hidden) alone(advance);
}

const shortcuts = () => stored("shortcuts") !== "off";

function onKey(event) {
  if (byId("label").hidden || byId("labelling").hidden || document.querySelector("dialog[open]") || !shortcuts()) return;
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.isComposing) return;
  const { target, key } = event;
  if (target.matches("select, textarea, input:not([type=checkbox])")) return;
  const button = target.matches("button, a, summary");
  if (key === "Enter" && button) return;
  const command = { Enter: save, s: skip, S: skip, u: undo, U: undo, Backspace: undo, "?": help, "/": () => byId("label-filter").focus() }[key];
  touched = true;
  if (command) command();
  else if (!task || busy || !toggledBy(event)) return;
  // Who chooses by keys means the next Enter to save.
  else if (button) focusArticle();
  event.preventDefault();
}

const focusArticle = () => byId("label-article").querySelector("h2").focus({ preventScroll: true });

function help() {
  byId("shortcuts-on").checked = shortcuts();
  byId("shortcuts-dialog").showModal();
}

/** Makes the view work. */
export function startLabelling() {
  byId("annotator-form").onsubmit = (event) => {
    event.preventDefault();
    annotator = byId("annotator").value.toWellFormed().trim().replace(/\s+/g, " ");
    store("annotator", annotator);
    showLabelling();
  };
  byId("annotator-change").onclick = () => {
    if (busy) return;
    byId("annotator").value = annotator;
    annotator = "";
    present(null);
    showLabelling();
  };
  byId("label-task").onsubmit = (event) => {
    event.preventDefault();
    save();
  };
  byId("label-skip").onclick = skip;
  byId("label-undo").onclick = undo;
  byId("label-again").onclick = () => alone(advance);
  byId("label-help").onclick = help;
  byId("shortcuts-on").onchange = ({ target }) => store("shortcuts", target.checked ? "on" : "off");
  startChoices(focusArticle);
  startList(open, () => alone(count));
  document.addEventListener("keydown", onKey);
  byId("label").addEventListener("focusin", () => (touched = true));
  window.addEventListener("online", () => entries().length && alone(advance));
  window.addEventListener("beforeunload", (event) => outlives() || event.preventDefault());
  document.addEventListener("language", () => {
    tell("");
    byId("annotator-name").textContent = say("annotator_is", { name: annotator });
    drawCount();
    if (annotator && byId("label-list").open) alone(count);
    drawUnsent();
    if (task) drawTask(chosenTopics());
    if (!byId("label-done").hidden) finish();
    if (!byId("label-question").hidden) ask(refused());
  });
}
