// The list under the article to label: what was labelled last and what one has skipped, to be opened again.

import { call } from "./api.js";
import { named } from "./choices.js";
import { byId, element } from "./dom.js";
import { number, say } from "./language.js";

const LISTED = 50;
let opened = () => {};

/** Draws the list anew. Throws Failure. */
export async function drawList(annotator, { annotators }) {
  const lists = [
    ["label_list_latest", { limit: LISTED }],
    ["label_list_skipped", { limit: LISTED, skipped_by: annotator }],
  ];
  const answers = await Promise.all(lists.map(([, query]) => call(`v1/labels/list?${new URLSearchParams(query)}`)));
  const shares = annotators.map((one) => element("li", {}, `${one.annotator} `, element("span", { class: "figure" }, number(one.labels))));
  byId("label-list")
    .querySelector("div")
    .replaceChildren(...lists.map(([heading], i) => section(say(heading), answers[i].tasks.map(row))), section(say("label_list_shares"), shares));
}

const section = (heading, rows) =>
  element("section", {}, element("h3", {}, heading), rows.length ? element("ul", {}, ...rows) : element("p", { class: "quiet" }, say("label_list_empty")));

function row({ id, title, label }) {
  const button = element("button", { type: "button", class: "plain", onclick: () => opened(id) }, title.trim() || say("untitled"));
  const told = label ? [" ", element("span", { class: "quiet" }, `${named(label.topics)} · ${label.annotator}`)] : [];
  return element("li", {}, button, ...told);
}

/** Makes the list work: `open` shows the article of an id, `draw` is called when the list comes into sight. */
export function startList(open, draw) {
  opened = open;
  byId("label-list").addEventListener("toggle", () => byId("label-list").open && draw());
}
