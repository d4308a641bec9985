// Reads a result off the page's thread: counts it, and gives the rows that are looked at. It keeps where rows are, not their texts.

import { ADDED, findColumn, NOTE_SEPARATOR, TOPIC_SEPARATOR } from "./columns.js";
import { fields, Records } from "./csv.js";

const SNIPPET = 240; // characters of a text that are shown
const REPORT = 2 ** 22; // bytes

let blob, columns, titleAt, textAt;
const starts = [];
const ends = [];
const topics = []; // of each row
const notes = [];
let matching = null; // the numbers of the rows that match `filter`
let filter = "";

async function read(given, { title, text }) {
  blob = given;
  const records = new Records((record, start) => {
    const row = fields(record);
    if (!columns) return (columns = row);
    starts.push(start);
    ends.push(start + record.length);
    const [filed, note] = [row[ADDED.indexOf("topics")], row[ADDED.indexOf("note")]];
    topics.push(filed ? filed.split(TOPIC_SEPARATOR) : []);
    notes.push(note ? note.split(NOTE_SEPARATOR) : []);
  });
  let done = 0;
  let said = 0;
  const reader = blob.stream().getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    records.push(part.value);
    done += part.value.length;
    if (done - said < REPORT) continue;
    said = done;
    postMessage({ share: done / blob.size });
  }
  records.end();
  if (!ADDED.every((name, place) => columns?.[place] === name)) throw new SyntaxError("not a result");
  // The input's own columns come after those of the answer; one whose name was taken has "input_" before it.
  const names = columns.map((name, place) => (place < ADDED.length ? "" : name.replace(/^(input_)+(?=(id|topics|probabilities|note)$)/, "")));
  titleAt = findColumn("title", names, title);
  textAt = findColumn("text", names, text);

  const counts = new Map();
  for (const topic of topics.flat()) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return {
    rows: starts.length,
    counts: [...counts].sort((one, other) => other[1] - one[1]),
    unfiled: topics.filter((filed) => !filed.length).length,
    uncertain: notes.filter((note) => note.includes("uncertain")).length,
    otherNoted: notes.filter((note) => note.length && !note.includes("uncertain")).length,
  };
}

/** The number of rows with this topic ("" none, null any) and note ("uncertain", "any" or null), and `size` of them. */
async function page({ topic, note, from, size }) {
  const wanted = JSON.stringify([topic, note]);
  if (filter !== wanted) {
    filter = wanted;
    matching = [];
    for (let i = 0; i < starts.length; i++) {
      const filed = topic === null || (topic === "" ? !topics[i].length : topics[i].includes(topic));
      const noted = note === null || (note === "any" ? notes[i].length : notes[i].includes(note));
      if (filed && noted) matching.push(i);
    }
  }
  const numbers = matching.slice(from, from + size);
  return { total: matching.length, rows: await Promise.all(numbers.map(row)) };
}

async function row(number) {
  const cells = await cellsOf(number);
  const told = titleAt < 0 && textAt < 0 ? (cells[ADDED.length] ?? "") : (cells[textAt] ?? "");
  return {
    number,
    id: cells[0],
    title: cells[titleAt] ?? "",
    snippet: told.trim().slice(0, SNIPPET).toWellFormed(),
    topics: topics[number],
    probabilities: cells[2] ? cells[2].split(TOPIC_SEPARATOR).map(Number) : [],
    notes: notes[number],
  };
}

async function article({ number }) {
  const cells = await cellsOf(number);
  return { title: cells[titleAt] ?? "", text: cells[textAt] ?? "" };
}

const cellsOf = async (number) => fields(new Uint8Array(await blob.slice(starts[number], ends[number]).arrayBuffer()));

const ANSWERS = { read: ({ blob: given, named }) => read(given, named), page, article };

onmessage = async ({ data: { call, question } }) => {
  try {
    postMessage({ call, answer: await ANSWERS[question.what](question) });
  } catch (error) {
    postMessage({ call, error: String(error) });
  }
};
