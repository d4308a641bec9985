// Decisions on the articles of an audit: kept in this browser until they are downloaded as CSV.
"use strict";
{
  const columns = JSON.parse(document.querySelector("footer").dataset.columns);
  const topics = new Set(Array.from(document.querySelectorAll("#topics code"), (code) => code.textContent));
  const [proposed, decision] = ["proposed", "decision"].map((name) => columns.indexOf(name));

  const cards = Array.from(document.querySelectorAll("article"), (card) => ({
    card,
    row: JSON.parse(card.dataset.row),
    choices: Array.from(card.querySelectorAll("[type=radio]")),
    text: card.querySelector("[type=text]"),
  }));
  const place = "audit " + JSON.stringify(cards.map(({ row }) => row));

  /** The row as it was decided on; the proposed topics are those that are to be written. */
  function decided({ row, choices, text }) {
    const chosen = choices.find((choice) => choice.checked)?.value ?? "";
    return row.with(decision, chosen).with(proposed, chosen === "change" ? text.value.trim() : row[proposed]);
  }

  const known = (cell) => cell.startsWith("[") || cell.split("|").every((topic) => topics.has(topic.trim()) || !topic.trim());

  function show() {
    const rows = cards.map(decided);
    for (const [i, { card, text }] of cards.entries()) {
      const changed = rows[i][decision] === "change";
      card.toggleAttribute("data-decided", rows[i][decision] !== "");
      text.disabled = !changed;
      text.setCustomValidity(!changed || known(text.value) ? "" : "No topic of that name: all are listed at the end.");
    }
    const number = rows.filter((row) => row[decision]).length;
    document.getElementById("progress").value = `${number} of ${rows.length} decided`;
    return rows;
  }

  function save() {
    const rows = show();
    try {
      localStorage.setItem(place, JSON.stringify(rows.map((row) => [row[decision], row[proposed]])));
    } catch {
      // No room, or a browser that keeps nothing of files: the decisions last as long as the page.
    }
  }

  function restore() {
    try {
      const saved = JSON.parse(localStorage.getItem(place)) ?? [];
      for (const [i, [chosen, cell]] of saved.entries()) {
        for (const choice of cards[i].choices) choice.checked = choice.value === chosen;
        if (chosen === "change") cards[i].text.value = cell;
      }
    } catch {
      // As above.
    }
  }

  function download() {
    const wrong = cards.find(({ text }) => !text.checkValidity());
    if (wrong) return wrong.text.reportValidity();
    const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
    const lines = [columns, ...show()].map((row) => row.map(quoted).join(",") + "\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", ...lines], { type: "text/csv" }));
    link.download = "decisions.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("[type=text]")) return;
    const at = cards.findIndex(({ card }) => card.contains(document.activeElement));
    const go = { n: Math.min(at + 1, cards.length - 1), p: Math.max(at - 1, 0) }[event.key];
    const choice = cards[at]?.choices.find(({ value }) => value[0] === event.key);
    if (go !== undefined) {
      cards[go].card.focus();
      cards[go].card.scrollIntoView({ block: "nearest" });
    } else if (choice) {
      choice.click();
      if (choice.value === "change") cards[at].text.focus();
    } else if (event.key === "o" && at >= 0) {
      const text = cards[at].card.querySelector("details");
      text.open = !text.open;
    } else return;
    event.preventDefault();
  }

  restore();
  show();
  for (const part of document.querySelectorAll("#keys, fieldset, footer")) part.hidden = false;
  document.addEventListener("input", save);
  document.addEventListener("keydown", press);
  document.getElementById("download").addEventListener("click", download);
}
