/** Names of layers: ids of new ones, and words for people. PURE. */

import { text, type Json, type Layer } from "./model";

/** Returns an id that no layer has yet, made of any text. */
export function freshId(layers: readonly Layer[], wish: string): string {
  const plain =
    wish
      .normalize("NFKD")
      .replace(/\.(png|jpe?g|webp|gif)$/i, "")
      .replace(/[^A-Za-z0-9_-]+/g, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 56) || "layer";
  const taken = new Set(layers.map((layer) => layer.id));
  if (!taken.has(plain)) return plain;
  for (let number = 2; ; number += 1) {
    if (!taken.has(`${plain}-${number}`)) return `${plain}-${number}`;
  }
}

export type Kind = "participant" | "slot" | "image" | "text" | "color" | "video" | "unknown";

export function kindOf(source: Json): Kind {
  for (const kind of ["participant", "slot", "image", "text", "color", "video"] as const) {
    if (source[kind] !== undefined) return kind;
  }
  return "unknown";
}

/** Returns what a layer shows, in a few words. */
export function sourceWords(source: Json): string {
  switch (kindOf(source)) {
    case "participant":
      return text(source.participant) || "nobody";
    case "slot":
      return `slot ${String(source.slot)}`;
    case "image":
      return `image ${Array.isArray(source.image) ? source.image.join(", ") : text(source.image)}`;
    case "text":
      return `text “${text(source.text)}”`;
    case "color":
      return `colour ${text(source.color)}`;
    case "video":
      return `video ${text(source.video)}`;
    default:
      return "unknown source";
  }
}
