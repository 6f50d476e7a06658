/** JSON as people write layouts: what fits stays on one line. */

import { ORDER, type KeyOrder } from "./generated/order";

/** Characters that fit beside each other in the editor on a laptop. */
const WIDTH = 42;

export function format(value: unknown, indent = ""): string {
  const short = oneLine(value);
  if (indent.length + short.length <= WIDTH || typeof value !== "object" || value === null) return short;
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((item) => inner + format(item, inner))
    : Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${format(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function oneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(oneLine).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const members = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${oneLine(item)}`);
  return `{${members.join(", ")}}`;
}

/** Returns the same layout with its keys in the order in which people think of them; unknown ones come behind, as they are. */
export function arranged(value: unknown, order: KeyOrder = ORDER): unknown {
  if (Array.isArray(value)) return value.map((item) => arranged(item, order));
  if (typeof value !== "object" || value === null) return value;
  const keys = Object.keys(order);
  const place = (key: string) => (keys.includes(key) ? keys.indexOf(key) : keys.length);
  const members = Object.entries(value).sort(([a], [b]) => place(a) - place(b));
  return Object.fromEntries(members.map(([key, item]) => [key, arranged(item, order[key] ?? {})]));
}

/** Returns whether two JSON values say the same; the order of an object's keys does not matter. */
export function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([x], [y]) => (x < y ? -1 : 1)))
      : item,
  );
}
