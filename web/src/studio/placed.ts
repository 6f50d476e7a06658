/** Where everything stands: as the server says, and in its place what this page has moved and not heard of yet. PURE. */

import type { Schemas } from "../client";
import type { Area, Layout } from "./model";
import { kindOf, sourceWords, type Kind } from "./names";

/** The place of one layer or person. The server lists them back to front. */
export type Placed = Schemas["LayerBox"];

export interface Box {
  /** The layer's id; of someone placed by `auto`, their name. */
  id: string;
  kind: Kind;
  /** Whether `auto` placed them: there is no layer yet. */
  auto: boolean;
  /** Why there is nothing to see in it now; `null` when there is. */
  empty: string | null;
  /** Whom or what it shows. */
  words: string;
  area: Area;
  rotate: number;
  /** Higher is nearer. */
  rank: number;
}

const WHY: Record<Schemas["WhyHidden"], string> = {
  nobody: "nobody is there",
  no_picture: "no picture comes",
  no_asset: "its file is missing",
  transparent: "it is transparent",
  cropped: "all of it is cut off",
  too_small: "it is too small",
  off_canvas: "it is beside the picture",
};

/** Returns all boxes: the layers as they are listed, then those whom `auto` places. */
export function boxes(layout: Layout, placed: readonly Placed[]): Box[] {
  const found = placed.map((place, rank): Box => {
    const { layer, person, x, y, width, height, rotate, hidden } = place;
    const source = layout.layers.find(({ id }) => id === layer)?.source ?? { participant: person };
    const kind = kindOf(source);
    return {
      id: layer ?? person ?? "",
      kind,
      auto: typeof layer !== "string",
      empty: hidden ? WHY[hidden] : null,
      words: kind === "slot" && person ? `${sourceWords(source)}, ${person}` : sourceWords(source),
      area: { x, y, width, height },
      rotate,
      rank,
    };
  });
  const named = new Set(layout.layers.map(({ source }) => source.participant));
  const layers = layout.layers.flatMap(({ id }) => found.filter((box) => !box.auto && box.id === id));
  // A layer that was just made for somebody has taken them already.
  return [...layers, ...found.filter((box) => box.auto && !named.has(box.id))];
}

/** The server's places, with those laid over them that this page knows better for a moment. */
export class Places {
  private server: readonly Placed[] = [];
  private revision = -1;
  private readonly laid = new Map<string, { area: Area; rotate: number }>();

  /** Starts over. */
  reset(placed: readonly Placed[], revision: number): void {
    this.laid.clear();
    this.take(placed, revision);
  }

  /** Takes what the server reports, for the layout of this revision. */
  take(placed: readonly Placed[], revision: number): void {
    this.server = placed;
    this.revision = revision;
  }

  /** Puts a layer somewhere until the server says where what is sent of it stands. */
  lay(id: string, area: Area, rotate: number): void {
    this.laid.set(id, { area, rotate });
  }

  /** Leaves it to the server where a layer stands, or where all do. */
  leave(id: string | null = null): void {
    if (id === null) this.laid.clear();
    else this.laid.delete(id);
  }

  /** Returns whether it is known where a layer stands: it was put there, or the server has said so after all that was sent. */
  knows(id: string, answered: number, waits: (id: string) => boolean): boolean {
    return this.laid.has(id) || (!waits(id) && this.revision >= answered);
  }

  /** Returns where everything stands. `answered`: the revision of this editor's newest change; `waits`: whether one is not answered yet. */
  now(answered: number, waits: (id: string) => boolean): Placed[] {
    for (const id of this.laid.keys()) if (!waits(id) && this.revision >= answered) this.laid.delete(id);
    const fresh = new Set(this.laid.keys());
    const placed = this.server.map((place) => {
      const laid = this.laid.get(place.layer ?? "");
      if (!laid || typeof place.layer !== "string") return place;
      fresh.delete(place.layer);
      return { ...place, ...laid.area, rotate: laid.rotate };
    });
    const added = [...fresh].map((layer) => {
      const { area, rotate } = this.laid.get(layer) as { area: Area; rotate: number };
      return { layer, person: null, ...area, rotate, hidden: null };
    });
    return [...placed, ...added];
  }
}
