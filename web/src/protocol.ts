/** The messages of the session's WebSocket (`GET /api/v1/rooms/{room}/session`), and what its close codes ask for. */

import type { Schemas } from "./client";
import { isObject, readProblem, type Problem } from "./problem";

/** Messages of one type, as the OpenAPI document describes them. */
type FromServer<T extends Schemas["ServerMessage"]["type"]> = Extract<Schemas["ServerMessage"], { type: T }>;
type FromPage<T extends Schemas["ClientMessage"]["type"]> = Extract<Schemas["ClientMessage"], { type: T }>;

export type Participant = Schemas["Participant"];
/** The scene that was shown last, and whether this is something else by now. */
export type ActiveScene = Schemas["ActiveScene"];
export type RoomState = Schemas["RoomState"];
/** The loudness of the mix, by EBU R 128: LUFS and dBTP; null is silence. */
export type Loudness = Schemas["Loudness"];
/** News from a room. */
export type RoomEvent = Schemas["Event"];
export type IceServer = Schemas["IceServer"];
export type ClientMessage = Schemas["ClientMessage"];
export type Welcome = FromServer<"welcome">;

/** The rendition of the mix that this page gets now, and the reason: the part of the message that the page shows. */
export type Delivery = Pick<FromServer<"delivery">, "type" | "rendition" | "reason" | "renditions">;

/** The size at which this person is shown on the canvas. */
export type Shown = Omit<FromServer<"shown">, "type">;

/** The part of the mix that this page can use. */
export type View = Required<Omit<FromPage<"view">, "type">>;

/** A message of the server as this page reads it. */
export type ServerMessage =
  | Exclude<Schemas["ServerMessage"], { type: "delivery" | "error" }>
  | Delivery
  | { type: "error"; problem: Problem };

/** Reads a message of the server. `null`: not one that this page knows, to be passed over. */
export function parseMessage(text: string): ServerMessage | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  switch (value.type) {
    case "welcome":
      return isObject(value.participant) && isObject(value.room) && Array.isArray(value.room.participants)
        ? ({ ...value, ice_servers: Array.isArray(value.ice_servers) ? value.ice_servers : [] } as unknown as Welcome)
        : null;
    case "offer":
    case "answer":
      return typeof value.sdp === "string" ? { type: value.type, sdp: value.sdp } : null;
    case "candidate": {
      // Empty is the end of them.
      const candidate = typeof value.candidate === "string" ? value.candidate : "";
      return { type: "candidate", candidate, mline: typeof value.mline === "number" ? value.mline : 0 };
    }
    case "connected":
      return { type: "connected" };
    case "delivery":
      return parseDelivery(value);
    case "shown":
      return parseShown(value);
    case "event":
      return parseEvent(value.event);
    case "error":
      return { type: "error", problem: readProblem(value.problem) };
    default:
      return null;
  }
}

function parseDelivery({ rendition, reason, renditions }: Record<string, unknown>): Delivery | null {
  if (rendition !== null && typeof rendition !== "string") return null;
  if (typeof reason !== "string" || !Array.isArray(renditions)) return null;
  const names = renditions.filter((each): each is string => typeof each === "string");
  return { type: "delivery", rendition, reason, renditions: names };
}

function parseShown({ width, height, fps }: Record<string, unknown>): ServerMessage | null {
  const known = typeof width === "number" && typeof height === "number" && typeof fps === "number";
  return known ? { type: "shown", width, height, fps } : null;
}

function parseEvent(event: unknown): ServerMessage | null {
  if (!isObject(event)) return null;
  const whole = { type: "event", event } as unknown as ServerMessage;
  switch (event.type) {
    case "participant_joined":
    case "participant_changed":
      return isObject(event.participant) ? whole : null;
    case "participant_left":
    case "speaking":
      return typeof event.id === "string" ? whole : null;
    case "room_changed":
      return isObject(event.room) && Array.isArray(event.room.participants) ? whole : null;
    case "layout_changed":
      return isObject(event.layout) && Array.isArray(event.boxes) ? whole : null;
    case "boxes_changed":
      return Array.isArray(event.boxes) ? whole : null;
    case "room_ended":
      return whole;
    case "loudness":
      return isObject(event.loudness) ? whole : null;
    case "output_changed":
      return isObject(event.output) ? whole : null;
    case "recording_finished":
      return isObject(event.recording) ? whole : null;
    case "scenes_changed":
      return Array.isArray(event.scenes) ? whole : null;
    case "scene_activated":
    case "marker":
      return typeof event.name === "string" ? whole : null;
    case "trigger_fired":
      return typeof event.trigger === "string" && Array.isArray(event.participants) && Array.isArray(event.events) ? whole : null;
    case "photo_taken":
      return isObject(event.photo) ? whole : null;
    case "output_removed":
    case "timer_removed":
      return typeof event.id === "string" ? whole : null;
    case "data_changed":
      return typeof event.key === "string" ? whole : null;
    case "timer_changed":
    case "timer_ended":
      return isObject(event.timer) ? whole : null;
    case "chat_line":
      return isObject(event.line) ? whole : null;
    case "chat_removed":
      return whole;
    default:
      return null;
  }
}

/** The demand of a closed socket: come back, come back as a new person, or stay away and say why. */
export type AfterClose = { reconnect: true; fresh: boolean } | { reconnect: false; why: string };

/**
 * Returns the answer to a close code. `resumed` says that the connection named an older one: a refusal may then mean
 * that the server no longer knows that one, and a fresh join is worth one more attempt.
 */
export function afterClose(code: number, problem: string | null, resumed: boolean): AfterClose {
  switch (code) {
    case 4001:
      return { reconnect: false, why: problem ?? "The server did not understand this page. Reload it." };
    case 4003:
      if (resumed) return { reconnect: true, fresh: true };
      return { reconnect: false, why: problem ?? "The server refused to let you in." };
    case 4008:
      return { reconnect: false, why: "Your place was taken over by another window." };
    case 4009:
      return { reconnect: false, why: problem ?? "The room has ended, or a moderator removed you." };
    default:
      return { reconnect: true, fresh: false };
  }
}

/** Returns the WebSocket's address for a page whose `<base>` is `base` (`https://host/`). */
export function sessionUrl(base: string, room: string, token: string | null): string {
  const url = new URL(`api/v1/rooms/${encodeURIComponent(room)}/session`, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  if (token) url.searchParams.set("token", token);
  return url.href;
}
