// The calls of the HTTP service, and what may go wrong with them.

import { askForKey, key } from "./key.js";

/** Why a call failed: `status` as in HTTP, 0 where no server answered; `detail` the server's sentence; `wait` seconds;
 * `problem` all that the server said. */
export class Failure extends Error {
  constructor(status, detail = "", wait = 0, problem = {}) {
    super(detail || `status ${status}`);
    Object.assign(this, { status, detail, wait, problem });
  }
}

/** The address of a call, beside this page wherever it is served. */
export const address = (path) => new URL(`../${path}`, import.meta.url).href;

export const credentials = () => (key() ? { Authorization: `Bearer ${key()}` } : {});

/** The failure that an answer tells of: its status, body and Retry-After. */
export function failureOf(status, body, retryAfter) {
  let detail = "";
  let problem = {};
  try {
    problem = JSON.parse(body);
    if (typeof problem.detail === "string") detail = problem.detail;
  } catch {
    // A proxy's page, which is nothing to show.
  }
  return new Failure(status, detail, Number(retryAfter) || 0, problem);
}

/** The JSON that a call answers; asks for a key where one is needed. Throws Failure, or AbortError when `signal` does. */
export async function call(path, { body, signal } = {}) {
  const used = key();
  let answer, text;
  try {
    answer = await fetch(address(path), {
      method: body === undefined ? "GET" : "POST",
      headers: { Accept: "application/json", ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...credentials() },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
    text = await answer.text();
  } catch (error) {
    throw error.name === "AbortError" ? error : new Failure(0);
  }
  if (answer.status === 401 && (await askForKey(used))) {
    signal?.throwIfAborted();
    return call(path, { body, signal });
  }
  if (!answer.ok) throw failureOf(answer.status, text, answer.headers.get("Retry-After"));
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(answer.status);
  }
}
