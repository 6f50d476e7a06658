/** Which layer is nearer, and bringing one forward or back. PURE. */

import { number, type Layer, type Layout } from "./model";

/** Ids from the farthest to the nearest: by `z`, equal ones in the order they are listed. */
export function backToFront(layout: Layout): string[] {
  return layout.layers
    .map((layer, index) => ({ id: layer.id, z: number(layer.z, 0), index }))
    .sort((a, b) => a.z - b.z || a.index - b.index)
    .map(({ id }) => id);
}

/**
 * Returns new `z` values that move a layer one place nearer or farther, by id. Empty when it is at the end already. As
 * few layers as possible get another value.
 */
export function reordered(layout: Layout, id: string, by: "forward" | "back"): Map<string, number> {
  const order = backToFront(layout);
  const from = order.indexOf(id);
  const to = by === "forward" ? from + 1 : from - 1;
  if (from < 0 || to < 0 || to >= order.length) return new Map();
  order.splice(to, 0, ...order.splice(from, 1));

  const index = new Map(layout.layers.map((layer, at) => [layer.id, at]));
  const z = new Map(layout.layers.map((layer) => [layer.id, number(layer.z, 0)]));
  const nearer = (a: string, b: string) => {
    const [za, zb] = [z.get(a) ?? 0, z.get(b) ?? 0];
    return za > zb || (za === zb && (index.get(a) ?? 0) > (index.get(b) ?? 0));
  };
  const behind = order[to - 1];
  const before = order[to + 1];
  if (behind !== undefined) {
    z.set(id, z.get(behind) ?? 0);
    if (!nearer(id, behind)) z.set(id, (z.get(behind) ?? 0) + 1);
  } else if (before !== undefined) {
    z.set(id, z.get(before) ?? 0);
    if (!nearer(before, id)) z.set(id, (z.get(before) ?? 0) - 1);
  }
  // Those in front of it must stay there.
  for (let at = to + 1; at < order.length; at += 1) {
    const [under, over] = [order[at - 1] as string, order[at] as string];
    if (nearer(over, under)) break;
    z.set(over, z.get(under) ?? 0);
    if (!nearer(over, under)) z.set(over, (z.get(under) ?? 0) + 1);
  }
  return new Map(layout.layers.flatMap((layer) => (z.get(layer.id) === number(layer.z, 0) ? [] : [[layer.id, z.get(layer.id) ?? 0]])));
}

/** Returns the `z` of something that shall be nearer than all layers and everybody whom `auto` places. */
export function topmost(layers: readonly Layer[]): number {
  return layers.reduce((top, layer) => Math.max(top, number(layer.z, 0) + 1), 1);
}
