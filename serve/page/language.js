// The language of the page: its sentences, names and numbers.

import { stored, store } from "./storage.js";
import { TEXTS } from "./texts.js";

let language = "id";
let formats = {};

/** "id" or "en". */
export const current = () => language;

/** The sentence of this key, with its {places} filled; `n` chooses among forms by number. */
export function say(key, values = {}) {
  const forms = TEXTS[language][key];
  const form = typeof forms === "string" ? forms : (forms[formats.plural.select(values.n)] ?? forms.other);
  return form.replace(/\{(\w+)\}/g, (_, name) => (typeof values[name] === "number" ? number(values[name]) : values[name]));
}

/** The sentence of this key where there is one, else what came from the server. */
export const sayOr = (key, other) => (Object.hasOwn(TEXTS[language], key) ? say(key) : other);

export const number = (value) => formats.number.format(value);
export const percent = (share) => formats.percent.format(share);
/** With its sign and two decimals. */
export const signed = (value) => formats.signed.format(value);
/** A topic's name. */
export const nameOf = (topic) => (language === "id" ? topic.name_id || topic.name_en : topic.name_en || topic.name_id) || topic.id;
/** The language's order of names. */
export const compare = (one, other) => one.localeCompare(other, language);

/** A note of the model as a sentence, or shortly. */
export function sayNote(note, { short = false } = {}) {
  const form = short ? "short" : "note";
  const foreign = /^not Indonesian: (.*)$/.exec(note);
  if (foreign) return say(`${form}_language`, { language: sayOr(`language_${foreign[1]}`, foreign[1]) });
  return sayOr(`${form}_${{ "mostly unknown words": "unknown" }[note] ?? note}`, note);
}

/** Fills in all elements that name their sentence. */
function translate() {
  document.documentElement.lang = language;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = say(one.dataset.text);
  for (const one of document.querySelectorAll("[data-label]")) one.setAttribute("aria-label", say(one.dataset.label));
  for (const one of document.querySelectorAll("[data-placeholder]")) one.placeholder = say(one.dataset.placeholder);
}

/** Speaks this language from now on; those who listen to "language" draw again what they have drawn. */
export function speak(wanted) {
  language = Object.hasOwn(TEXTS, wanted) ? wanted : "id";
  const locale = { id: "id-ID", en: "en-GB" }[language];
  formats = {
    number: new Intl.NumberFormat(locale),
    percent: new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 }),
    signed: new Intl.NumberFormat(locale, { signDisplay: "exceptZero", minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    plural: new Intl.PluralRules(locale),
  };
  store("language", language);
  translate();
  document.dispatchEvent(new Event("language"));
}

/** The language that was chosen last; Indonesian at first. */
export const remembered = () => stored("language") ?? "id";
