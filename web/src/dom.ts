/** Returns the element of index.html with this id. Throws when the page and the code have drifted apart. */
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

type Attributes = Record<string, string | number | boolean | null | undefined>;

/** Makes an element with attributes (`class`, `aria-label`, …; `true` is an empty one, `false` and `null` none) and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}
