// Elements made and found; what users and servers send becomes text nodes only.

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** An element with these properties ("class", "data-x", "aria-x" and the like are attributes) and children: nodes, or text. */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (key in made && !key.includes("-")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
