/** Whom no layer takes, and where `auto` puts them. PURE. Mirrors `src/layout/auto.rs` and `spotlight.rs`. */

import { pixels } from "./geometry";
import { canvasSize, text, type Area, type Layout, type Size } from "./model";

export interface Person {
  name: string;
  /** `null` while no picture of them has come. */
  size: Size | null;
}

export interface Seated {
  name: string;
  area: Area;
  cutout: unknown;
}

const TILE_ASPECT = 16 / 9;
const ROW_HEIGHT = 0.92;
const FRONT_HEIGHT = 0.7;
const HEIGHT_PER_SPACE = 1.7;
const ONE_ROW = 6;
const BACK_SCALE = 0.8;
const BACK_LIFT = 0.3;
const OTHERS = 0.22;
const OTHERS_CUT = 0.36;
const OTHERS_HEIGHT = 0.55;

/** Everybody who may be shown, in order of joining, and who of them spoke, the last one first. */
export interface Gathering {
  people: readonly Person[];
  speakers: readonly string[];
  canCut: boolean;
}

/** Returns who sits in which slot: those whom no layer names, in order of joining. */
export function unnamed(layout: Layout, people: readonly Person[]): Person[] {
  const named = new Set(layout.layers.map((layer) => layer.source.participant));
  return people.filter((person) => !named.has(person.name));
}

/** Returns whom neither a name nor a slot takes. */
export function waiting(layout: Layout, people: readonly Person[]): Person[] {
  const slots = new Set(layout.layers.map((layer) => layer.source.slot));
  return unnamed(layout, people).filter((_, index) => !slots.has(index + 1));
}

/** Returns which part of their pictures is kept. */
export function autoCutout(layout: Layout): unknown {
  if (layout.auto.cutout !== undefined) return layout.auto.cutout;
  const background = text(layout.canvas.background);
  return background && !background.startsWith("#") ? "person" : "none";
}

/** Returns where everybody who waits is put, back to front. Nobody for modes that this page does not reckon. */
export function autoPlaces(layout: Layout, { people, speakers, canCut }: Gathering): Seated[] {
  const mode = layout.auto.mode ?? "grid";
  const who = waiting(layout, people);
  const [first] = who;
  if (!first) return [];
  const canvas = canvasSize(layout);
  const gap = pixels(layout.auto.gap ?? "1%", canvas.width) ?? 0;
  const wish = autoCutout(layout);
  const cutout = canCut ? wish : "none";
  const tiled = (areas: readonly Area[]) => areas.map((area, at) => ({ name: who[at]?.name ?? "", area, cutout }));
  switch (mode) {
    case "grid":
    case "row":
      if (cutout !== "none") return sideBySide(who, canvas, cutout);
      return tiled(mode === "row" ? line(who.length, canvas, gap) : tiles(who.length, canvas, gap));
    case "spotlight": {
      const seen = who.filter((person) => person.size);
      const spoke = speakers.map((name) => seen.find((person) => person.name === name)).find(Boolean);
      const large = spoke ?? seen[0] ?? first;
      const others = who.filter((person) => person !== large);
      return cutout === "none" ? spotlight(large, others, canvas, gap) : spotlightStanding(large, others, canvas, cutout);
    }
    default:
      return [];
  }
}

/** One large tile, and the others in a column beside it or a row beneath it. */
function spotlight(large: Person, others: readonly Person[], canvas: Size, gap: number): Seated[] {
  const one = (width: number, height: number) => tiles(1, { width, height }, 0)[0] as Area;
  const seat = (person: Person, area: Area): Seated => ({ name: person.name, area, cutout: "none" });
  if (others.length === 0) return [seat(large, one(canvas.width, canvas.height))];
  const column = Math.min(canvas.width * OTHERS, (canvas.height * TILE_ASPECT) / 2);
  const row = Math.min(canvas.height * OTHERS, canvas.width / TILE_ASPECT / 2);
  const beside = one(canvas.width - column - Math.min(gap, canvas.width / 10), canvas.height);
  const beneath = one(canvas.width, canvas.height - row - Math.min(gap, canvas.height / 10));
  const [area, strip] =
    beside.width >= beneath.width
      ? [beside, { x: canvas.width - column, y: 0, width: column, height: canvas.height }]
      : [beneath, { x: 0, y: canvas.height - row, width: canvas.width, height: row }];
  const small = tiles(others.length, strip, gap);
  return [seat(large, area), ...others.map((person, at) => seat(person, moved(small[at] as Area, strip.x, strip.y)))];
}

/** The large one stands at the left, the others behind at the right. */
function spotlightStanding(large: Person, others: readonly Person[], canvas: Size, cutout: unknown): Seated[] {
  if (others.length === 0) return sideBySide([large], canvas, cutout);
  const [width, height] = [canvas.width * OTHERS_CUT, canvas.height * OTHERS_HEIGHT];
  const small = sideBySide(others, { width, height }, cutout).map((seated) => ({
    ...seated,
    area: moved(seated.area, canvas.width - width, canvas.height - height),
  }));
  return [...small, ...sideBySide([large], { width: canvas.width - width, height: canvas.height }, cutout)];
}

function moved(area: Area, dx: number, dy: number): Area {
  return { ...area, x: area.x + dx, y: area.y + dy };
}

/** Returns equal tiles of 16:9 beside each other, as large as the canvas allows, in the middle of it. */
function line(count: number, canvas: Size, wanted: number): Area[] {
  const gap = Math.min(wanted, canvas.width / (2 * count));
  const width = Math.min((canvas.width - gap * (count - 1)) / count, canvas.height * TILE_ASPECT);
  const height = width / TILE_ASPECT;
  const start = (canvas.width - width * count - gap * (count - 1)) / 2;
  return Array.from({ length: count }, (_, index) => ({ x: start + index * (width + gap), y: (canvas.height - height) / 2, width, height }));
}

/** Returns equal tiles of 16:9, row by row, as large as the canvas allows. */
function tiles(count: number, canvas: Size, wanted: number): Area[] {
  const sized = (columns: number) => {
    const rows = Math.ceil(count / columns);
    const gap = Math.min(wanted, canvas.width / (2 * columns), canvas.height / (2 * rows));
    const width = (canvas.width - gap * (columns - 1)) / columns;
    const height = (canvas.height - gap * (rows - 1)) / rows;
    return { width: Math.min(width, height * TILE_ASPECT), gap, columns, rows };
  };
  let best = sized(1);
  for (let columns = 2; columns <= count; columns += 1) {
    const next = sized(columns);
    if (next.width > best.width - 1e-6) best = next;
  }
  const { width, gap, columns, rows } = best;
  const height = width / TILE_ASPECT;
  const start = (whole: number, number: number, side: number) => (whole - side * number - gap * (number - 1)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const column = index % columns;
    const inRow = Math.min(columns, count - row * columns);
    return {
      x: start(canvas.width, inRow, width) + column * (width + gap),
      y: start(canvas.height, rows, height) + row * (height + gap),
      width,
      height,
    };
  });
}

/** Everybody stands in the middle of an equal share of the width; from seven on every second stands behind. */
function sideBySide(who: readonly Person[], canvas: Size, cutout: unknown): Seated[] {
  const share = canvas.width / who.length;
  const standing = (place: number, height: number, bottom: number): Seated[] => {
    const person = who[place];
    if (!person?.size) return [];
    const width = (height * person.size.width) / person.size.height;
    return [{ name: person.name, area: { x: share * (place + 0.5) - width / 2, y: bottom - height, width, height }, cutout }];
  };
  const places = who.map((_, place) => place);
  if (who.length <= ONE_ROW) {
    const height = Math.min(canvas.height * ROW_HEIGHT, share * HEIGHT_PER_SPACE);
    return places.flatMap((place) => standing(place, height, canvas.height));
  }
  const height = Math.min(canvas.height * FRONT_HEIGHT, 2 * share * HEIGHT_PER_SPACE);
  const back = places.filter((place) => place % 2 === 1);
  const front = places.filter((place) => place % 2 === 0);
  return [
    ...back.flatMap((place) => standing(place, height * BACK_SCALE, canvas.height - height * BACK_LIFT)),
    ...front.flatMap((place) => standing(place, height, canvas.height)),
  ];
}
