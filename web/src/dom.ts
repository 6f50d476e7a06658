/** The element of index.html with this id. Throws when the page and the code have drifted apart. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}`);
  return found;
}

/** Shows `text` in `target`, or hides it when there is nothing to say. */
export function say(target: HTMLElement, text: string | null): void {
  // Unchanged text is left alone, so that a screen reader does not repeat it.
  if (target.textContent !== (text ?? "")) target.textContent = text ?? "";
  target.hidden = !text;
}
