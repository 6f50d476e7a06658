/** The options of joining, from the address and the browser's storage: room, name, token, codecs and sound. */

export interface Options {
  name: string | null;
  room: string | null;
  /** Join without waiting for the form. */
  join: boolean;
  token: string | null;
  /** Debugging: the codecs to name, instead of the usual order. */
  receive: string[];
  send: string[];
  /** Whether the browser cleans the microphone's sound (echo, noise, gain). Off suits music and line inputs. */
  processing: boolean;
}

export const ROOM_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Reads an address such as `/r/ROOM?name=ann&join=1`, also below a proxy's path. */
export function readOptions(url: URL): Options {
  const query = url.searchParams;
  const path = /\/r\/([^/]+)\/?$/.exec(url.pathname)?.[1];
  const list = (key: string) => (query.get(key) ?? "").toLowerCase().split(",").filter(Boolean);
  return {
    name: query.get("name") || null,
    room: query.get("room") || (path === undefined ? null : decode(path)),
    join: ["1", "true", ""].includes(query.get("join") ?? "no"),
    token: query.get("token") || null,
    receive: list("receive"),
    send: list("send"),
    processing: query.get("processing") !== "off",
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Returns the address of a joined room for the browser's history: keeps the debugging options, drops the token. `base` is the
    path of the page's `<base>`. */
export function roomAddress(url: URL, room: string, name: string, base = "/"): string {
  const query = new URLSearchParams(url.search);
  for (const key of ["room", "token"]) query.delete(key);
  if (query.has("name")) query.set("name", name);
  const rest = query.toString();
  return `${base}r/${encodeURIComponent(room)}${rest ? `?${rest}` : ""}`;
}

/** A place in a room that this tab holds. It survives a reload, not the tab. */
export interface Place {
  room: string;
  name: string;
  resume: string;
  /** Somebody who was muted or without picture stays so. */
  microphoneOff?: boolean;
  cameraOff?: boolean;
}

const PLACE = "virfie.place";
const TOKEN = "virfie.token";
const RENDITION = "virfie.rendition";
/** The wish for a picture that suits the line and the screen. */
export const AUTO = "auto";

/** Storage may be forbidden altogether (private windows, embedded pages): then nothing is remembered. */
function quietly<T>(act: () => T): T | null {
  try {
    return act();
  } catch {
    return null;
  }
}

export function loadPlace(): Place | null {
  const text = quietly(() => sessionStorage.getItem(PLACE));
  const value = text ? (quietly(() => JSON.parse(text)) as Partial<Place> | null) : null;
  return value?.room && value.name && value.resume ? (value as Place) : null;
}

export function savePlace(place: Place | null): void {
  quietly(() => (place ? sessionStorage.setItem(PLACE, JSON.stringify(place)) : sessionStorage.removeItem(PLACE)));
}

/** Returns the rendition that this tab's user fixed, or `AUTO`. */
export function loadRendition(): string {
  return quietly(() => sessionStorage.getItem(RENDITION)) || AUTO;
}

export function saveRendition(rendition: string): void {
  quietly(() => sessionStorage.setItem(RENDITION, rendition));
}

/** Returns the token of the address, or the one this tab was opened with. */
export function keepToken(fromAddress: string | null): string | null {
  if (fromAddress) quietly(() => sessionStorage.setItem(TOKEN, fromAddress));
  return fromAddress ?? quietly(() => sessionStorage.getItem(TOKEN));
}

/** Remembered answers of the join form. */
export function recall(key: "name" | "room" | "camera" | "microphone" | "quality"): string {
  return quietly(() => localStorage.getItem(`virfie.${key}`)) ?? "";
}

export function remember(key: "name" | "room" | "camera" | "microphone" | "quality", value: string): void {
  quietly(() => localStorage.setItem(`virfie.${key}`, value));
}
