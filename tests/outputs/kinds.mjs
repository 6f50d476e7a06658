// Every kind of output with its other end, in the order of the tables.

import { Recording } from "./disk.mjs";
import { HlsReader } from "./hls.mjs";
import { ROOM } from "./room.mjs";
import { Nginx } from "./rtmp.mjs";
import { SrtReader, SrtReceiver } from "./srt.mjs";
import { Second } from "./whip.mjs";

/** What each is. */
export const TITLES = {
  rtmp: "RTMP to nginx-rtmp",
  rtmps: "RTMPS to nginx's stream module before nginx-rtmp",
  srtCalls: "SRT, calling srt-live-transmit",
  srtListens: "SRT, listening; ffmpeg calls",
  hls: "HLS, read by ffmpeg",
  whip: "WHIP to a second Virfie",
  mkv: "recording, Matroska",
  mp4: "recording, MP4",
  iso: "recording of each participant",
};

/**
 * Makes the other ends, which do not run yet.
 *
 * @param {import("./room.mjs").Room} room
 * @param {object} where `program`: the second Virfie's; `certificate`: for RTMPS; `at`: the address of each kind by its
 *   key, for those that our server calls; `base`: our server as HLS's reader finds it; `ports`: UDP ports of WHIP's media;
 *   `keeps`: whether what comes is kept
 */
export async function kinds(room, { program, certificate, at = {}, base = room.url, ports, keeps = true }) {
  const of = (kind) => at[kind] ?? "127.0.0.1";
  return {
    rtmp: await Nginx.at(of("rtmp")),
    rtmps: await Nginx.at(of("rtmps"), certificate),
    srtCalls: await SrtReceiver.at(of("srtCalls"), { keeps }),
    srtListens: await SrtReader.of(new URL(room.url).hostname, { keeps }),
    hls: HlsReader.of({ base, room: ROOM, key: room.key }, { keeps }),
    whip: await Second.at(of("whip"), program, { ports }),
    mkv: new Recording(room.recordings, "mkv"),
    mp4: new Recording(room.recordings, "mp4", { ending: "mp4" }),
    iso: new Recording(room.recordings, "iso", { iso: true }),
  };
}

/** Starts all the other ends, adds all outputs, and waits until they are live; resolves to their ids by kind. */
export async function begin(room, ends) {
  const ids = {};
  for (const [kind, end] of Object.entries(ends)) {
    // A reader comes when there is something to read.
    if (kind !== "hls") await end.start?.();
    ids[kind] = await room.add(end.body());
  }
  await ends.hls?.served();
  await ends.hls?.start();
  await room.live(Object.values(ids));
  return ids;
}
