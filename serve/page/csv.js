// CSV by the rules of RFC 4180, over bytes, so that a record can be found again by its place in the file.

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

const decoder = new TextDecoder();

/**
 * Finds the records in chunks of bytes: `push` and `end` call found(bytes, start) with each record, without its line end,
 * and the place of its first byte.
 */
export class Records {
  #found;
  #rest = new Uint8Array();
  #start = 0; // of the rest in the file
  #looked = 0; // so many bytes of the rest are looked at
  #quoted = false;

  constructor(found) {
    this.#found = found;
  }

  push(chunk) {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    let begin = 0;
    for (let i = this.#looked; i < bytes.length; i++) {
      if (bytes[i] === QUOTE) {
        this.#quoted = !this.#quoted;
      } else if (bytes[i] === LINE_FEED && !this.#quoted) {
        const end = bytes[i - 1] === CARRIAGE_RETURN && i > begin ? i - 1 : i;
        if (end > begin) this.#found(bytes.subarray(begin, end), this.#start + begin);
        begin = i + 1;
      }
    }
    this.#start += begin;
    this.#rest = bytes.slice(begin);
    this.#looked = this.#rest.length;
  }

  /** Whatever has no line end behind it. Throws SyntaxError within quotes. */
  end() {
    if (this.#quoted) throw new SyntaxError("a quote is not closed");
    if (this.#rest.length) this.#found(this.#rest, this.#start);
  }
}

/** The fields of a record. */
export function fields(record) {
  const found = [];
  let at = 0;
  do {
    if (record[at] !== QUOTE) {
      let end = record.indexOf(COMMA, at);
      if (end < 0) end = record.length;
      found.push(decoder.decode(record.subarray(at, end)));
      at = end + 1;
      continue;
    }
    let end = at + 1;
    while (end < record.length && (record[end] !== QUOTE || record[end + 1] === QUOTE)) end += record[end] === QUOTE ? 2 : 1;
    found.push(decoder.decode(record.subarray(at + 1, end)).replaceAll('""', '"'));
    at = end + 2;
  } while (at <= record.length);
  return found;
}
