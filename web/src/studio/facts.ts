/** What a layout becomes with the people and images that are there: the boxes to show. PURE. */

import { autoPlaces, unnamed, type Gathering, type Person } from "./autoplace";
import { isObject } from "../problem";
import { anchorPoint, areaOf, placing, rotation, shownAspect, USUAL, type Shape } from "./geometry";
import { canvasSize, findLayer, number, text, type Area, type Json, type Layer, type Layout, type Size } from "./model";
import { kindOf, sourceWords, type Kind } from "./names";
import { backToFront } from "./order";

export interface Facts extends Gathering {
  images: ReadonlyMap<string, Size>;
  /** Width of a line of text, in pixels of a font of `size`. */
  measure(line: string, size: number): number;
}

export interface Box {
  /** The layer's id; of someone placed by `auto`, their name. */
  id: string;
  kind: Kind;
  /** Whether `auto` placed them: there is no layer yet. */
  auto: boolean;
  /** Whether there is nothing to see in it now. */
  empty: boolean;
  /** Whom or what it shows. */
  words: string;
  area: Area;
  rotate: number;
  /** Higher is nearer. */
  rank: number;
}

const TEXT_SIZE = 48;
const LINE = 1.2;

/** Returns who is in a layer now; `null`: nobody, or it is not for people. */
export function personOf(layer: Layer, layout: Layout, facts: Facts): Person | null {
  const { participant, slot } = layer.source;
  if (typeof participant === "string") return facts.people.find((person) => person.name === participant) ?? null;
  if (typeof slot === "number") return unnamed(layout, facts.people)[slot - 1] ?? null;
  return null;
}

/** Returns the size of a layer's source before any crop; `null` for what has none. */
function sourceSize(layer: Layer, layout: Layout, facts: Facts): Size | null {
  switch (kindOf(layer.source)) {
    case "participant":
    case "slot":
      return personOf(layer, layout, facts)?.size ?? USUAL;
    case "image":
      return facts.images.get(imagesOf(layer)[0] ?? "") ?? USUAL;
    case "video":
      return USUAL;
    case "text":
      return textSize(layer, facts);
    default:
      return null;
  }
}

function textSize({ source }: Layer, facts: Facts): Size {
  const size = number(source.size, TEXT_SIZE);
  const around = 2 * number(source.padding, 0);
  const lines = text(source.text).split("\n");
  const width = Math.max(size / 4, ...lines.map((line) => facts.measure(line, size)));
  return { width: Math.ceil(width + around), height: Math.ceil(lines.length * size * number(source.line_height, LINE) + around) };
}

/** Returns the images that a layer names. */
export function imagesOf({ source: { image } }: Layer): string[] {
  return (Array.isArray(image) ? image : [image]).filter((name) => typeof name === "string");
}

export function shapeOf(layer: Layer, layout: Layout, facts: Facts): Shape {
  const source = sourceSize(layer, layout, facts);
  const isText = kindOf(layer.source) === "text";
  return { aspect: shownAspect(layer, source), size: isText ? source : null };
}

export function boxArea(layer: Layer, layout: Layout, facts: Facts): Area {
  const area = areaOf(layer, canvasSize(layout), shapeOf(layer, layout, facts));
  const { follow } = layer;
  if (!isObject(follow)) return area;
  // Where the keypoint is, only the server knows: it is shown in the middle of the one whom it follows.
  const leader = findLayer(layout, text(follow.layer));
  const place = leader && !isObject(leader.follow) ? boxArea(leader, layout, facts) : { x: 0, y: 0, ...canvasSize(layout) };
  const natural = layer.width === undefined && layer.height === undefined ? sourceSize(layer, layout, facts) : null;
  const scale = followScale(follow.scale) * Math.min(1, place.width / canvasSize(layout).width);
  const { width, height } = natural ? { width: natural.width * scale, height: natural.height * scale } : area;
  const [x, y] = [place.x + place.width / 2 + number(follow.dx, 0), place.y + place.height / 2 + number(follow.dy, 0)];
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function followScale(scale: unknown): number {
  const share = typeof scale === "string" ? Number.parseFloat(scale) / 100 : number(scale, 1);
  return Number.isFinite(share) ? share : 1;
}

/** Returns the change (a merge patch) that puts the layer to where `to` is. */
export function moveTo(layer: Layer, layout: Layout, facts: Facts, to: Area): Json {
  const now = boxArea(layer, layout, facts);
  if (isObject(layer.follow)) {
    const [dx, dy] = [to.x + to.width / 2 - now.x - now.width / 2, to.y + to.height / 2 - now.y - now.height / 2];
    const follow: Json = { dx: Math.round(number(layer.follow.dx, 0) + dx), dy: Math.round(number(layer.follow.dy, 0) + dy) };
    const grows = Math.abs(to.width / now.width - 1) > 0.01;
    if (grows) follow.scale = Math.round(followScale(layer.follow.scale) * (to.width / now.width) * 100) / 100;
    return { follow: { ...layer.follow, ...follow } };
  }
  const shape = shapeOf(layer, layout, facts);
  const free = layer.width === undefined && layer.height === undefined && layer.scale === undefined;
  if (kindOf(layer.source) !== "text" || !free || Math.abs(to.height / now.height - 1) < 0.005) {
    return placing(layer, canvasSize(layout), shape, to);
  }
  // A text that is as large as it comes gets larger letters.
  const size = Math.max(4, Math.round(number(layer.source.size, TEXT_SIZE) * (to.height / now.height)));
  const [ax, ay] = anchorPoint(layer);
  return { source: { ...layer.source, size }, x: Math.round(to.x + to.width * ax), y: Math.round(to.y + to.height * ay) };
}

/** Returns all boxes: the layers as they are listed, then those whom `auto` places. */
export function boxes(layout: Layout, facts: Facts): Box[] {
  const order = backToFront(layout);
  // People of `auto` are nearer than layers of z 0 or less, and farther than all others.
  const behind = order.filter((id) => number(layout.layers.find((layer) => layer.id === id)?.z, 0) <= 0).length;
  const seated = autoPlaces(layout, facts);
  const rank = (id: string) => {
    const at = order.indexOf(id);
    return at < behind ? at : at + seated.length;
  };
  const layers = layout.layers.map((layer): Box => {
    const kind = kindOf(layer.source);
    const person = personOf(layer, layout, facts);
    const lacking =
      kind === "image" ? imagesOf(layer).some((name) => !facts.images.has(name)) : kind === "participant" || kind === "slot" ? !person : false;
    return {
      id: layer.id,
      kind,
      auto: false,
      empty: lacking || layer.opacity === 0,
      words: kind === "slot" && person ? `${sourceWords(layer.source)}, ${person.name}` : sourceWords(layer.source),
      area: boxArea(layer, layout, facts),
      rotate: rotation(layer),
      rank: rank(layer.id),
    };
  });
  const placed = seated.map(
    ({ name, area }, at): Box => ({
      id: name,
      kind: "participant",
      auto: true,
      empty: false,
      words: name,
      area,
      rotate: 0,
      rank: behind + at,
    }),
  );
  return [...layers, ...placed];
}
