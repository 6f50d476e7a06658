/** Changes of a layout that can be made, undone and sent. PURE. */

import { isObject } from "../problem";
import { same } from "../format";
import type { Json, Layer, Layout } from "./model";
import { readLayout } from "./model";

export type Edit =
  /** A merge patch of one layer, and the one that takes it back. `now` is its id afterwards. */
  | { kind: "layer"; id: string; now: string; patch: Json; back: Json }
  | { kind: "add"; layer: Layer; index: number }
  | { kind: "remove"; layer: Layer; index: number }
  /** A merge patch of the layout's other parts, or of all layers at once. */
  | { kind: "layout"; patch: Json; back: Json }
  /** Another layout altogether. */
  | { kind: "whole"; after: Json; before: Json };

/** JSON Merge Patch (RFC 7396). */
export function merged(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Json = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

/** Returns the merge patch that turns `from` into `to`. Inner objects that lose nothing are patched, not replaced. */
export function difference(from: Json, to: Json): Json {
  const patch: Json = {};
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [old, next] = [from[key], to[key]];
    if (next === undefined) patch[key] = null;
    else if (isObject(old) && isObject(next)) {
      const inner = difference(old, next);
      if (Object.keys(inner).length > 0) patch[key] = inner;
    } else if (!same(old, next)) patch[key] = next;
  }
  return patch;
}

/** Returns a change of one layer; `null` when nothing changes. */
export function layerEdit(before: Layer, after: Layer): Edit | null {
  const patch = difference(before, after);
  if (Object.keys(patch).length === 0) return null;
  return { kind: "layer", id: before.id, now: after.id, patch, back: difference(after, before) };
}

/** Returns a change of the layout by a merge patch. */
export function layoutEdit(layout: Layout, patch: Json): Edit {
  const after = merged(layout, patch) as Json;
  return { kind: "layout", patch, back: difference(after, layout) };
}

export function inverse(edit: Edit): Edit {
  switch (edit.kind) {
    case "layer":
      return { kind: "layer", id: edit.now, now: edit.id, patch: edit.back, back: edit.patch };
    case "add":
      return { ...edit, kind: "remove" };
    case "remove":
      return { ...edit, kind: "add" };
    case "layout":
      return { kind: "layout", patch: edit.back, back: edit.patch };
    case "whole":
      return { kind: "whole", after: edit.before, before: edit.after };
  }
}

/** Returns the layout after the edit. Made twice, or of a layer that is gone, it changes nothing more. */
export function applied(layout: Layout, edit: Edit): Layout {
  switch (edit.kind) {
    case "layer":
      return {
        ...layout,
        layers: layout.layers.map((layer) => (layer.id === edit.id ? (merged(layer, edit.patch) as Layer) : layer)),
      };
    case "add": {
      const layers = layout.layers.filter((layer) => layer.id !== edit.layer.id);
      layers.splice(edit.index, 0, edit.layer);
      return { ...layout, layers };
    }
    case "remove":
      return { ...layout, layers: layout.layers.filter((layer) => layer.id !== edit.layer.id) };
    case "layout":
      return readLayout(merged(layout, edit.patch));
    case "whole":
      return readLayout(edit.after);
  }
}
