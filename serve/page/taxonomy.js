// The topics view: the taxonomy by group, with definitions and codes, and a search.

import { call } from "./api.js";
import { byId, element } from "./dom.js";
import { showFailure } from "./failure.js";
import { current, nameOf, percent, say, sayOr } from "./language.js";

let loading = null;
let topics = [];

/** The model's topics; asked for once. Throws Failure. */
export function taxonomy() {
  loading ??= call("v1/topics").then(
    (answer) => answer,
    (failure) => {
      loading = null;
      throw failure;
    },
  );
  return loading;
}

/** Shows the taxonomy, and the topic of this id where one is named. */
export async function showTaxonomy(id) {
  try {
    topics = (await taxonomy()).topics;
    showFailure(byId("topics-error"), null);
  } catch (failure) {
    return showFailure(byId("topics-error"), failure, () => showTaxonomy(id));
  }
  draw();
  const named = id && byId(`topic-${id}`);
  if (named) {
    named.scrollIntoView({ block: "center" });
    named.focus();
  }
}

function draw() {
  const wanted = byId("search").value.trim().toLowerCase().split(/\s+/);
  const found = topics.filter((topic) => {
    const told = [topic.id, topic.name_id, topic.name_en, topic.about, ...topic.iptc, ...topic.iab].join(" ").toLowerCase();
    return wanted.every((word) => told.includes(word));
  });
  byId("topics-found").textContent = say("topics_found", { n: found.length });
  const groups = Map.groupBy(found, (topic) => topic.group);
  byId("taxonomy").replaceChildren(
    ...[...groups].map(([group, members]) => {
      const heading = element("h3", {}, sayOr(`group_${group}`, group));
      return element("section", {}, ...(group ? [heading] : []), element("div", { class: "definitions" }, ...members.map(definition)));
    }),
  );
}

function definition(topic) {
  const other = current() === "id" ? topic.name_en : topic.name_id;
  const facts = [];
  const fact = (name, ...values) => facts.push(element("dt", {}, name), element("dd", {}, ...values));
  if (topic.about) fact(say("about"), element("span", { lang: "en" }, topic.about));
  if (topic.not_about) fact(say("not_about"), element("span", { lang: "en" }, topic.not_about));
  if (topic.iptc.length) fact("IPTC", ...topic.iptc.flatMap((code, i) => [i ? ", " : "", iptc(code)]));
  if (topic.iab.length) fact("IAB", topic.iab.join(", "));
  fact(say("threshold_word"), percent(topic.threshold));
  return element(
    "article",
    { id: `topic-${topic.id}`, class: "definition", tabIndex: -1 },
    element("h4", {}, nameOf(topic)),
    element("p", { class: "quiet" }, element("span", { lang: current() === "id" ? "en" : "id" }, other), other ? " · " : "", element("code", {}, topic.id)),
    element("dl", {}, ...facts),
  );
}

/** A code of IPTC's Media Topics as a link to its definition there. */
function iptc(code) {
  const number = /^medtop:(\d+)$/.exec(code);
  if (!number) return code;
  return element("a", { href: `https://cv.iptc.org/newscodes/mediatopic/${number[1]}`, rel: "noreferrer" }, code);
}

/** Makes the view work. */
export function startTaxonomy() {
  byId("search").addEventListener("input", draw);
  document.addEventListener("language", () => topics.length && draw());
}
