/** The layouts that come with the program. */

import type { Json } from "./model";

export interface Ready {
  /** In words. */
  name: string;
  layout: Json;
}

const FILES = import.meta.glob<Json>("../../../pipelines/layouts/*.json", { eager: true, import: "default" });

/** `picture-in-picture.json` as people read it. */
function words(file: string): string {
  const name = (file.split("/").at(-1) ?? "").replace(/\.json$/, "").replaceAll("-", " ");
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** The plainest ones come first. */
const PLAIN = ["Solo", "Grid", "Side by side", "Picture in picture", "Spotlight"];

function place({ name }: Ready): number {
  return PLAIN.includes(name) ? PLAIN.indexOf(name) : PLAIN.length;
}

export const READY: Ready[] = Object.entries(FILES)
  .map(([file, layout]) => ({ name: words(file), layout }))
  .sort((a, b) => place(a) - place(b));
