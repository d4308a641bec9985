// An article's title and text out of a .txt or .html file.

const BLOCKS = "h2, h3, p, li, blockquote, figcaption";

/** {title, text}: a page's paragraphs with blank lines between, or a text as it is. Nothing of a page runs or is fetched. */
export async function readArticle(file) {
  const text = decoded(await file.arrayBuffer());
  if (!/\.html?$/i.test(file.name) && file.type !== "text/html") return { title: "", text };
  const page = new DOMParser().parseFromString(text, "text/html");
  const spaced = (node) => node.textContent.replace(/\s+/g, " ").trim();
  const heading = page.querySelector("h1") ?? page.querySelector("title");
  const whole = page.querySelector("article") ?? page.querySelector("main") ?? page.body;
  for (const unseen of whole.querySelectorAll("script, style, template, noscript, nav, form")) unseen.remove();
  const blocks = [...whole.querySelectorAll(BLOCKS)].filter((block) => !block.parentElement.closest(BLOCKS));
  const paragraphs = blocks.map(spaced).filter(Boolean);
  return { title: heading ? spaced(heading) : "", text: paragraphs.join("\n\n") || spaced(whole) };
}

/** Text in UTF-8, or in what Windows wrote before. */
function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}
