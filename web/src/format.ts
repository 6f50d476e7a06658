/** JSON as people write layouts: what fits stays on one line. */

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

/** Keys of layouts in the order in which people think of them; all others come behind, as they are. */
const ORDER = [
  "canvas", "id", "source", "x", "y", "width", "height", "scale", "anchor", "fit", "crop", "rotate", "z", "opacity", "mirror",
  "cutout", "background", "color", "layers", "auto", "mode", "transition",
];

/** Returns the same value with its keys in an order that suits reading. */
export function arranged(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(arranged);
  if (typeof value !== "object" || value === null) return value;
  const place = (key: string) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);
  const members = Object.entries(value).sort(([a], [b]) => place(a) - place(b));
  return Object.fromEntries(members.map(([key, item]) => [key, arranged(item)]));
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
