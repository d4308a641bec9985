// The API key: asked for when the server wants one, kept in this tab's session only.

import { byId } from "./dom.js";

const NAME = "kanal.key";
let kept = null;
let asking = null;
let declined = false;

/** The key in use, null where there is none. */
export function key() {
  try {
    return sessionStorage.getItem(NAME) ?? kept;
  } catch {
    return kept;
  }
}

function keep(value) {
  kept = value;
  try {
    sessionStorage.setItem(NAME, value);
  } catch {
    // Storage is switched off: the key lasts as long as the page.
  }
}

/** Whoever has closed the dialog is not asked again until they try again. */
export const mayAsk = () => (declined = false);

/** Asks for a key after one, or none, was refused. Whether there is another one now; calls at the same time share a dialog. */
export function askForKey(refused) {
  if (key() !== refused) return Promise.resolve(true);
  if (declined) return Promise.resolve(false);
  asking ??= ask(refused !== null).finally(() => (asking = null));
  return asking;
}

function ask(again) {
  const dialog = byId("key-dialog");
  const field = byId("key");
  byId("key-refused").hidden = !again;
  field.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    byId("key-form").onsubmit = (event) => {
      event.preventDefault();
      keep(field.value.replace(/[^\x21-\x7e]/g, "")); // what a header can carry
      dialog.close("used");
    };
    byId("key-cancel").onclick = () => dialog.close("cancelled");
    dialog.onclose = () => {
      field.value = "";
      declined = dialog.returnValue !== "used";
      resolve(!declined);
      dialog.returnValue = "";
    };
  });
}
