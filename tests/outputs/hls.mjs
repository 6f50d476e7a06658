// ffmpeg as a reader of what our server serves by HLS.

import { until } from "../browser/wait.mjs";
import { Far } from "./far.mjs";

/** The first segments of an output. */
const SERVED_MS = 30_000;

export class HlsReader extends Far {
  /** `base`: where our server is for it; `key`: what opens it, if something does. */
  static of({ base, room, key }, how) {
    const reader = new HlsReader("hls", { ...how, returns: true });
    const address = `${base}/hls/${room}/main/index.m3u8`;
    return Object.assign(reader, { address, headers: key ? { authorization: `Bearer ${key}` } : {} });
  }

  command() {
    const headers = Object.entries(this.headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
    const from = [...(headers ? ["-headers", headers] : []), "-i", this.address];
    const out = ["-c", "copy", "-f", "mpegts", "-flush_packets", "1", "pipe:1"];
    return ["ffmpeg", ["-v", "error", "-nostdin", ...from, ...out]];
  }

  body() {
    return { type: "hls", name: "main", segment_seconds: 2 };
  }

  /** Resolves when players get a playlist. */
  async served() {
    const asked = async () => (await fetch(this.address, { headers: this.headers })).ok;
    await until("the playlist is served", asked, { within: SERVED_MS, every: 250 });
  }

  files() {
    return [this.came];
  }
}
