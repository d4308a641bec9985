// A label that the server did not take, and what its giver can do: somebody else changed it meanwhile, or it is at fault.

import { named } from "./choices.js";
import { byId, element } from "./dom.js";
import { say } from "./language.js";
import { discard, keep } from "./outbox.js";

/** Asks about an entry of the outbox; `decided` is called when it is on its way again, or gone. */
export function drawQuestion(entry, decided) {
  const { title, topics, refusal } = entry;
  const choice = (key, decide) => {
    const onclick = () => {
      decide();
      decided();
    };
    return element("button", { type: "button", onclick }, say(key));
  };
  const drop = () => discard(entry);
  const resend = (revision) => () => keep({ ...entry, revision, refusal: undefined });
  const conflict = refusal.status === 409;
  const choices = conflict
    ? [choice("conflict_keep_theirs", drop), choice("conflict_keep_yours", resend(refusal.current.revision))]
    : [choice("retry", resend(entry.revision)), choice("refused_discard", drop)];
  byId("label-question").replaceChildren(
    element("h2", { id: "question-heading", tabIndex: -1 }, say(conflict ? "conflict_heading" : "refused_heading", { title })),
    conflict ? element("p", {}, theirs(refusal.current.label)) : element("p", { lang: "en" }, refusal.detail),
    element("p", {}, say("conflict_yours", { topics: named(topics) })),
    element("div", { class: "bar" }, ...choices),
  );
}

const theirs = (label) => (label ? say("conflict_theirs", { name: label.annotator, topics: named(label.topics) }) : say("conflict_undone"));
