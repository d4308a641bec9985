// Labels that the server has not confirmed: kept in the browser until it has, whatever happens to page or network.

import { call, Failure } from "./api.js";

const PREFIX = "kanal.label.";
/** Whether the same call may do without this failure later. */
export const passing = ({ status }) => [0, 401, 408, 429].includes(status) || status >= 500;

/** By the entry's own key; those of other tabs and of earlier visits are in localStorage only. */
const kept = new Map();

/** A label to send: {key, id, title, topics, annotator, revision}; `refusal` {status, detail, current} where the server
 * took it for a conflict or a mistake, and somebody has to decide. */
export function keep(entry) {
  kept.set(entry.key, entry);
  try {
    // A storage item each, so that two tabs do not overwrite each other's.
    localStorage.setItem(PREFIX + entry.key, JSON.stringify(entry));
  } catch {
    // Switched off or full; `stored` tells.
  }
}

/** A key of its own for each entry, in the order of time. */
export const newKey = () => `${Date.now()}.${Math.random().toString(36).slice(2)}`;

export function discard(entry) {
  kept.delete(entry.key);
  try {
    localStorage.removeItem(PREFIX + entry.key);
  } catch {
    // It was never there.
  }
}

/** All entries, oldest first. */
export function entries() {
  const found = new Map(kept);
  try {
    for (const name of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
      const entry = JSON.parse(localStorage.getItem(name));
      found.set(entry.key, entry);
    }
  } catch {
    // What this page has kept is all there is.
  }
  return [...found.values()].sort((one, other) => Number.parseInt(one.key, 10) - Number.parseInt(other.key, 10));
}

/** Whether all entries outlive the page. */
export function stored() {
  try {
    return [...kept.keys()].every((key) => localStorage.getItem(PREFIX + key) !== null);
  } catch {
    return !kept.size;
  }
}

/** Sends what waits, until one cannot be sent now; `sent` hears of each that the server has. Null, or the Failure that
 * stopped it. */
export async function send(sent) {
  for (const entry of entries().filter(({ refusal }) => !refusal)) {
    const { id, topics, annotator, revision } = entry;
    try {
      await call("v1/labels/save", { body: { id, topics, annotator, revision } });
      discard(entry);
      sent(entry);
    } catch (failure) {
      if (!(failure instanceof Failure)) throw failure;
      if (passing(failure)) return failure;
      keep({ ...entry, refusal: { status: failure.status, detail: failure.detail, current: failure.problem.current } });
    }
  }
  return null;
}
