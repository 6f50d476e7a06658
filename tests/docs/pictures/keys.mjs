// The keys of layouts, as the running program describes them in its OpenAPI document, and those that a layout uses.
//
// A key is named by the way to it, without the places in lists: `layers.source.image`, `triggers.do.twirl.angle`.

const OPEN = Symbol("anything");

/** @typedef {Map<string, Set<string>>} Keys each key with the words that it may have; none where it is not one of a few */

/** Finds the keys of layouts that have no keys of their own. @returns {Keys} */
export function layoutKeys(document) {
  const found = new Map();
  walk(document, document.components.schemas.Layout, "", found);
  const groups = new Set([...found.keys()].map((key) => key.slice(0, key.lastIndexOf("."))));
  return new Map([...found].filter(([key]) => !groups.has(key)));
}

function walk(document, schema, key, found) {
  // What only answers have is nothing to write.
  if (schema.readOnly) return;
  if (schema.$ref) walk(document, document.components.schemas[schema.$ref.split("/").pop()], key, found);
  if (key !== "" && !found.has(key)) found.set(key, new Set());
  for (const word of schema.enum ?? []) found.get(key).add(word);
  // A form that takes more than some words, as names of layers beside the word `all`.
  if (!schema.enum && ["string", "number", "integer"].includes(schema.type)) found.get(key).add(OPEN);
  if (schema.items) walk(document, schema.items, key, found);
  for (const part of [...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...(schema.allOf ?? [])])
    walk(document, part, key, found);
  for (const [name, value] of Object.entries(schema.properties ?? {}))
    walk(document, value, key === "" ? name : `${key}.${name}`, found);
}

/** Finds the keys that layouts use, each with the words that are there. @returns {Keys} */
export function usedKeys(layouts) {
  const found = new Map();
  const visit = (value, key) => {
    if (Array.isArray(value)) value.forEach((item) => visit(item, key));
    else if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) visit(inner, key === "" ? name : `${key}.${name}`);
    } else {
      if (!found.has(key)) found.set(key, new Set());
      found.get(key).add(value);
    }
  };
  layouts.forEach((layout) => visit(layout, ""));
  return found;
}

/** The most words of one key that its picture must show all; of longer lists it shows some. */
const WORDS = 8;

/**
 * Compares the program's keys with the pictures, and resolves to what is wrong, a sentence each.
 *
 * @param {Keys} keys
 * @param {import("./list.mjs").Picture[]} pictures
 * @param {Record<string, string>} without keys that have no picture, each with the reason
 */
export function drift(keys, pictures, without) {
  const faults = [];
  const shown = new Set(pictures.flatMap((picture) => picture.keys));
  for (const key of keys.keys()) {
    if (!shown.has(key) && !(key in without)) faults.push(`the key ${key} has no picture, and no reason to have none`);
    if (shown.has(key) && key in without) faults.push(`the key ${key} has a picture, and a reason to have none`);
  }
  for (const key of Object.keys(without)) if (!keys.has(key)) faults.push(`${key} has a reason, but is no key`);
  for (const { name, keys: own, moments } of pictures) {
    const used = usedKeys(moments.map(({ layout }) => layout).filter((layout) => layout !== undefined));
    if (own.length === 0) faults.push(`the picture ${name} shows no key`);
    for (const key of own) {
      if (!keys.has(key)) faults.push(`the picture ${name} shows ${key}, which is no key`);
      else if (!used.has(key)) faults.push(`the picture ${name} shows ${key}, but its layouts do not use it`);
      else if (!keys.get(key).has(OPEN) && keys.get(key).size <= WORDS) {
        const missing = [...keys.get(key)].filter((word) => !used.get(key).has(word));
        if (missing.length > 0) faults.push(`the picture ${name} does not show ${missing.join(", ")} of ${key}`);
      }
    }
  }
  return faults;
}
