// The topics that a label is chosen from: a checkbox and a key each.

import { byId, element } from "./dom.js";
import { nameOf, percent, say, sayOr } from "./language.js";

// Without s and u, which are commands.
const LETTERS = [..."abcdefghijklmnopqrtvwxyz"];
/** The topics' keys, in the taxonomy's order; as `aria-keyshortcuts` has them. */
const KEYS = [..."1234567890", ...LETTERS.map((letter) => letter.toUpperCase()), ...LETTERS.map((letter) => `Shift+${letter.toUpperCase()}`)];

let topics = [];
let chosen = []; // ids, in the order of choosing
let changed = () => {};

export const chosenTopics = () => [...chosen];
export const nameOfId = (id) => {
  const topic = topics.find((one) => one.id === id);
  return topic ? nameOf(topic) : id;
};

/** The topics' names, the main one marked. */
export function named(ids) {
  if (!ids.length) return say("label_none");
  return ids.map((id, i) => (i || ids.length === 1 ? nameOfId(id) : say("label_first", { topic: nameOfId(id) }))).join(", ");
}

/** Shows the topics with what the model expects of each; `ids` are chosen. `onChange` hears of each change. */
export function drawChoices(offered, suggested, ids, onChange) {
  topics = offered;
  chosen = ids.filter((id) => topics.some((topic) => topic.id === id));
  changed = onChange;
  const expected = new Map(suggested.map(({ topic, probability }) => [topic, probability]));
  const groups = Map.groupBy(
    topics.map((topic, i) => ({ topic, key: KEYS[i] })),
    ({ topic }) => topic.group,
  );
  byId("label-topics").replaceChildren(
    ...[...groups].map(([group, members]) => {
      const heading = group ? [element("h3", {}, sayOr(`group_${group}`, group))] : [];
      return element("div", { class: "choices" }, ...heading, ...members.map(({ topic, key }) => choice(topic, key, expected.get(topic.id))));
    }),
  );
  filter();
}

function choice(topic, key, probability) {
  const box = element("input", { type: "checkbox", value: topic.id, "aria-keyshortcuts": key, checked: chosen.includes(topic.id) });
  box.onchange = () => toggle(topic.id);
  const likely = probability === undefined ? [] : [element("span", { class: "figure" }, element("span", { class: "hidden" }, `${say("label_model")} `), percent(probability))];
  const row = element(
    "label",
    { class: `choice${likely.length ? " likely" : ""}`, title: topic.about },
    box,
    element("kbd", { "aria-hidden": "true" }, key?.replace("Shift+", "⇧") ?? ""),
    element("span", { class: "name" }, nameOf(topic)),
    " ",
    ...likely,
  );
  if (likely.length) row.style.setProperty("--probability", probability);
  return row;
}

/** Chooses a topic, or not any more. */
function toggle(id) {
  chosen = chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen, id];
  for (const box of boxes()) box.checked = chosen.includes(box.value);
  changed();
}

const boxes = () => [...byId("label-topics").querySelectorAll("input")];

/** Whether the key of this event is a topic's, which is then chosen or not any more. */
export function toggledBy(event) {
  const letter = /^[a-z]$/i.test(event.key);
  // What Shift says counts, not the case: Caps Lock changes no topic.
  const key = letter ? `${event.shiftKey ? "Shift+" : ""}${event.key.toUpperCase()}` : event.key;
  const at = KEYS.indexOf(key);
  if (at < 0 || at >= topics.length) return false;
  toggle(topics[at].id);
  return true;
}

/** Hides the topics whose names do not hold what the filter says. */
function filter() {
  const wanted = byId("label-filter").value.trim().toLowerCase();
  for (const box of boxes()) {
    const topic = topics.find(({ id }) => id === box.value);
    box.closest("label").hidden = ![topic.id, topic.name_id, topic.name_en].join(" ").toLowerCase().includes(wanted);
  }
  for (const group of document.querySelectorAll(".choices")) group.hidden = !group.querySelector("label:not([hidden])");
}

/** Makes the filter work: Enter chooses the first topic that it leaves, Escape clears it; `leave` takes the focus back. */
export function startChoices(leave) {
  const field = byId("label-filter");
  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    const first = boxes().find((box) => !box.closest("label").hidden);
    if (event.key === "Enter" && field.value.trim() && first) toggle(first.value);
    field.value = "";
    filter();
    leave();
  });
}
