// The page: its views, which the address names, and its settings.

import { startArticle } from "./article.js";
import { byId } from "./dom.js";
import { startFiles } from "./files.js";
import { showLabelling, startLabelling } from "./label.js";
import { remembered, say, speak } from "./language.js";
import { store, stored } from "./storage.js";
import { showTaxonomy, startTaxonomy, taxonomy } from "./taxonomy.js";

// The server says in the page whether it has articles to label.
const LABELLING = "labelling" in document.documentElement.dataset;
const VIEWS = ["article", "files", "topics", ...(LABELLING ? ["label"] : [])];

/** Shows the view that the address names: #/files, or #/topics/football. (Without the slash the browser would take the
 * focus to the view itself.) */
function show() {
  const [wanted, detail] = location.hash.slice(2).split("/");
  const view = VIEWS.includes(wanted) ? wanted : VIEWS[0];
  for (const name of VIEWS) {
    byId(name).hidden = name !== view;
    byId(`tab-${name}`).setAttribute("aria-selected", String(name === view));
    byId(`tab-${name}`).tabIndex = name === view ? 0 : -1;
  }
  entitle();
  if (view === "topics") showTaxonomy(detail);
  if (view === "label") showLabelling();
}

function entitle() {
  document.title = `${document.querySelector("[role=tab][aria-selected=true]").textContent} – Kanal`;
}

/** Tabs by arrows, Home and End, as WAI-ARIA's practices have it. */
function moveAmongTabs(event) {
  const at = VIEWS.indexOf(event.target.id.replace("tab-", ""));
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
  const spaced = event.key === " " ? at : to;
  if (at < 0 || spaced === undefined) return;
  event.preventDefault();
  const tab = byId(`tab-${VIEWS.at(spaced % VIEWS.length)}`);
  tab.focus();
  location.hash = tab.hash;
}

function startColours() {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("dark");
  const colour = (dark) => {
    document.documentElement.dataset.colours = dark ? "dark" : "light";
    button.setAttribute("aria-pressed", String(dark));
  };
  const asStored = () => colour(stored("colours") ? stored("colours") === "dark" : system.matches);
  button.onclick = () => {
    colour(button.getAttribute("aria-pressed") !== "true");
    store("colours", document.documentElement.dataset.colours);
  };
  system.addEventListener("change", asStored);
  asStored();
}

async function showModel() {
  try {
    const { model } = await taxonomy();
    const registered = model.registry ? ` (${model.registry})` : "";
    byId("model").textContent = say("model", { version: `${model.version}${registered}` });
  } catch {
    // The view that is open tells of it.
  }
}

startColours();
speak(remembered());
startArticle();
startFiles();
startTaxonomy();
if (LABELLING) {
  startLabelling();
  byId("tab-label").hidden = false;
}
byId("language").value = document.documentElement.lang;
byId("language").onchange = ({ target }) => speak(target.value);
document.addEventListener("language", () => {
  entitle();
  showModel();
});
document.querySelector("[role=tablist]").addEventListener("keydown", moveAmongTabs);
window.addEventListener("hashchange", show);
document.querySelector(".skip").onclick = (event) => {
  event.preventDefault();
  byId("main").focus();
};
// A file that misses its place would be opened in place of the page.
for (const name of ["dragover", "drop"]) {
  window.addEventListener(name, (event) => event.dataTransfer.types.includes("Files") && event.preventDefault());
}
show();
showModel();
document.documentElement.dataset.ready = "";
