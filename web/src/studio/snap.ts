/** Lines that boxes stick to while they are dragged: the canvas's edges, middle and thirds, and the edges of other boxes. PURE. */

import { withSize, type Handle } from "./geometry";
import type { Area, Size } from "./model";

export interface Guides {
  /** Where the lines are that something lies on now, in canvas pixels. */
  x: number[];
  y: number[];
}

export interface Snapped {
  area: Area;
  guides: Guides;
}

type Axis = "x" | "y";
const SIDE = { x: "width", y: "height" } as const;
const NONE: Guides = { x: [], y: [] };

function lines(axis: Axis, canvas: Size, others: readonly Area[]): number[] {
  const whole = canvas[SIDE[axis]];
  const own = [0, whole / 3, whole / 2, (whole * 2) / 3, whole];
  return own.concat(others.flatMap((other) => [other[axis], other[axis] + other[SIDE[axis]]]));
}

/** By how much `edges` have to move so that one of them lies on a line; `null` when none is within `reach`. */
function nearest(edges: readonly number[], targets: readonly number[], reach: number): number | null {
  let best: number | null = null;
  for (const edge of edges) {
    for (const target of targets) {
      const by = target - edge;
      if (Math.abs(by) <= reach && (best === null || Math.abs(by) < Math.abs(best))) best = by;
    }
  }
  return best;
}

function touched(edges: readonly number[], targets: readonly number[]): number[] {
  const met = targets.filter((target) => edges.some((edge) => Math.abs(edge - target) < 0.5));
  return [...new Set(met.map((line) => Math.round(line)))];
}

/** Returns a moved area, drawn to lines within `reach`. Only the middle of a turned area sticks. */
export function snapMoved(area: Area, turned: boolean, canvas: Size, others: readonly Area[], reach: number): Snapped {
  const next = { ...area };
  const guides: Guides = { x: [], y: [] };
  for (const axis of ["x", "y"] as const) {
    const targets = lines(axis, canvas, others);
    const side = area[SIDE[axis]];
    const places = (start: number) => (turned ? [start + side / 2] : [start, start + side / 2, start + side]);
    const by = nearest(places(area[axis]), targets, reach);
    if (by === null) continue;
    next[axis] += by;
    guides[axis] = touched(places(next[axis]), targets);
  }
  return { area: next, guides };
}

/** Returns a resized area whose moved edges are drawn to lines within `reach`. Turned areas have no upright edges to draw. */
export function snapResized(
  area: Area,
  turned: boolean,
  handle: Handle,
  keep: boolean,
  canvas: Size,
  others: readonly Area[],
  reach: number,
): Snapped {
  if (turned) return { area, guides: NONE };
  const moved = (axis: Axis, of: Area) => (handle[axis] < 0 ? of[axis] : of[axis] + of[SIDE[axis]]);
  const offers = (["x", "y"] as const).flatMap((axis) => {
    if (handle[axis] === 0) return [];
    const by = nearest([moved(axis, area)], lines(axis, canvas, others), reach);
    return by === null ? [] : [{ axis, by }];
  });
  if (offers.length === 0) return { area, guides: NONE };
  let next: Area;
  if (keep) {
    // Both sides change together, so only the nearer line can be met.
    const { axis, by } = offers.reduce((best, offer) => (Math.abs(offer.by) < Math.abs(best.by) ? offer : best));
    const side = area[SIDE[axis]];
    const scale = (side + handle[axis] * by) / side;
    next = withSize(area, 0, handle, area.width * scale, area.height * scale);
  } else {
    const by = (axis: Axis) => (offers.find((offer) => offer.axis === axis)?.by ?? 0) * handle[axis];
    next = withSize(area, 0, handle, area.width + by("x"), area.height + by("y"));
  }
  const guides = (axis: Axis) => (handle[axis] === 0 ? [] : touched([moved(axis, next)], lines(axis, canvas, others)));
  return { area: next, guides: { x: guides("x"), y: guides("y") } };
}
