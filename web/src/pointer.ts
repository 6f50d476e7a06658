/** From a JSON pointer (RFC 6901) to the place in the JSON text that it names. */

import { jsonLanguage } from "@codemirror/lang-json";
import type { SyntaxNode } from "@lezer/common";

export interface Place {
  /** Offsets in the text, `to` behind the last character. */
  from: number;
  to: number;
  /** 1 is the first line. */
  line: number;
}

/** Returns the pointer's steps, unescaped. */
export function steps(pointer: string): string[] {
  if (!pointer.startsWith("/")) return [];
  return pointer
    .slice(1)
    .split("/")
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * Returns where `pointer` points to in `text`. A value on one line is marked together with its key, a longer one by its
 * key (or its opening bracket) alone. A key that is missing is shown at the object in which it is missing.
 */
export function locate(text: string, pointer: string): Place {
  const top = jsonLanguage.parser.parse(text).topNode.firstChild;
  let value: SyntaxNode | null = top;
  let property: SyntaxNode | null = null;
  for (const step of steps(pointer)) {
    const found: { value: SyntaxNode; property: SyntaxNode | null } | null = value ? child(value, step, text) : null;
    if (!found) break;
    ({ value, property } = found);
  }
  if (!value) return place(text, 0, Math.min(1, text.length));
  const start = property ?? value;
  if (!text.slice(start.from, value.to).includes("\n")) return place(text, start.from, value.to);
  const key = property?.firstChild;
  return key ? place(text, key.from, key.to) : place(text, value.from, value.from + 1);
}

function child(value: SyntaxNode, step: string, text: string): { value: SyntaxNode; property: SyntaxNode | null } | null {
  if (value.name === "Array") {
    if (!/^\d+$/.test(step)) return null;
    let left = Number(step);
    for (let item = value.firstChild; item; item = item.nextSibling) {
      if (!isValue(item)) continue;
      if (left === 0) return { value: item, property: null };
      left -= 1;
    }
    return null;
  }
  if (value.name !== "Object") return null;
  // Of equal keys the last one counts, as in JSON.parse.
  for (let property = value.lastChild; property; property = property.prevSibling) {
    const key = property.name === "Property" ? property.firstChild : null;
    const held = property.lastChild;
    if (!key || !held || !isValue(held) || keyOf(text.slice(key.from, key.to)) !== step) continue;
    return { value: held, property };
  }
  return null;
}

function keyOf(quoted: string): string | null {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    return null;
  }
}

function isValue(node: SyntaxNode): boolean {
  return /^(Object|Array|String|Number|True|False|Null)$/.test(node.name);
}

function place(text: string, from: number, to: number): Place {
  return { from, to, line: text.slice(0, from).split("\n").length };
}
