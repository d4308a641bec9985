// Columns of a result: those that Kanal adds, and which of the input's hold title and text.

export const ADDED = ["id", "topics", "probabilities", "note"];
export const TOPIC_SEPARATOR = "|";
export const NOTE_SEPARATOR = "; ";

/** As in serve/article.py. */
export const USUAL_NAMES = {
  title: ["title", "judul", "judul_berita", "judul_artikel", "headline"],
  text: [
    "text", "isi", "isi_berita", "isi_artikel", "konten", "content", "body", "artikel", "article", "teks", "berita", "description",
  ],
};

/** The place of the column that holds `field`, -1 where there is none; `given` is the user's choice. */
export function findColumn(field, columns, given) {
  if (given) return columns.indexOf(given);
  const folded = columns.map(alike);
  return USUAL_NAMES[field].map((name) => folded.indexOf(alike(name))).find((place) => place >= 0) ?? -1;
}

/** A column's name as it is compared, whatever its case, spaces, underscores and hyphens. */
function alike(column) {
  return column.replace(/[\s_-]+/g, "").toLowerCase();
}
