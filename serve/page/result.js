// A result that the server sent, read by a worker.

export class Result {
  #worker = new Worker(new URL("./result-worker.js", import.meta.url), { type: "module" });
  #waiting = new Map();
  #calls = 0;

  /** `reading` is told the share of the result that has been read. */
  constructor(reading) {
    this.#worker.onmessage = ({ data: { share, call, answer, error } }) => {
      if (share !== undefined) return reading(share);
      const { resolve, reject } = this.#waiting.get(call);
      this.#waiting.delete(call);
      if (error) reject(new Error(error));
      else resolve(answer);
    };
    this.#worker.onerror = (event) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message));
    };
  }

  #ask(what, question) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(++this.#calls, { resolve, reject });
      this.#worker.postMessage({ call: this.#calls, question: { what, ...question } });
    });
  }

  /** Reads the CSV: {rows, counts: [[topic, n], ...], unfiled, uncertain, otherNoted}. `named` are columns that the user named. */
  read = (blob, named) => this.#ask("read", { blob, named });

  /** {total, rows} of those with a topic and note, from one on. */
  page = (question) => this.#ask("page", question);

  /** {title, text} of a row. */
  article = (number) => this.#ask("article", { number });

  close() {
    this.#worker.terminate();
  }
}
