// What the browser remembers of choices; where it may not, they last as long as the page.

export function stored(name) {
  try {
    return localStorage.getItem(`kanal.${name}`);
  } catch {
    return null;
  }
}

export function store(name, value) {
  try {
    localStorage.setItem(`kanal.${name}`, value);
  } catch {
    // Storage is switched off or full.
  }
}
