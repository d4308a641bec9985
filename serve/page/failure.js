// A failed call, said in words.

import { element } from "./dom.js";
import { mayAsk } from "./key.js";
import { say } from "./language.js";
import { TEXTS } from "./texts.js";

/** Says in `place` what went wrong and what to do; `retry` is what the button does. Null takes the words away. */
export function showFailure(place, failure, retry, waits = false) {
  place.hidden = !failure;
  place.replaceChildren();
  if (!failure) return;
  const known = failure.status === 0 ? "error_offline" : `error_${failure.status}`;
  const told = Object.hasOwn(TEXTS.id, known) ? say(known) : say("error_other", { status: String(failure.status) });
  place.append(element("p", {}, told));
  if (failure.detail) place.append(element("p", { class: "detail", lang: "en" }, failure.detail));
  if (waits) place.append(element("p", {}, say("retried", { seconds: failure.wait })));
  const again = () => {
    mayAsk();
    retry();
  };
  place.append(element("button", { type: "button", onclick: again }, say("retry")));
}
