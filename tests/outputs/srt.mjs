// The two ends of SRT, with a passphrase: `srt-live-transmit`, which our server calls, and ffmpeg, which calls our server.

import { createSocket } from "node:dgram";

import { Far } from "./far.mjs";

const PASSPHRASE = "a-passphrase-of-outputs";
/** Milliseconds that a lost packet may take. */
const LATENCY = 250;

function freeUdpPort(address) {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp4").once("error", reject);
    socket.bind(0, address, () => {
      const { port } = socket.address();
      socket.close(() => resolve(port));
    });
  });
}

/** Listens, and goes on listening when a caller has gone. */
export class SrtReceiver extends Far {
  static async at(address, how) {
    return new SrtReceiver("srt-called", how).place(address, await freeUdpPort(address));
  }

  place(address, port) {
    return Object.assign(this, { address, port });
  }

  command() {
    const from = `srt://${this.address}:${this.port}?mode=listener&passphrase=${PASSPHRASE}&latency=${LATENCY}`;
    return ["srt-live-transmit", ["-loglevel", "error", "-autoreconnect", "yes", "-chunk", "1316", from, "file://con"]];
  }

  body() {
    return { type: "srt", url: `srt://${this.address}:${this.port}?passphrase=${PASSPHRASE}&latency=${LATENCY}` };
  }

  files() {
    return [this.came];
  }
}

/** Calls our server, which listens, again and again. */
export class SrtReader extends Far {
  /** `address`: our server's. */
  static async of(address, how) {
    const reader = new SrtReader("srt-calling", { ...how, returns: true });
    return Object.assign(reader, { address, port: await freeUdpPort("127.0.0.1") });
  }

  command() {
    const from = `srt://${this.address}:${this.port}?mode=caller&passphrase=${PASSPHRASE}&latency=${LATENCY * 1_000}`;
    const out = ["-c", "copy", "-f", "mpegts", "-flush_packets", "1", "pipe:1"];
    return ["ffmpeg", ["-v", "error", "-nostdin", "-i", from, ...out]];
  }

  body() {
    return { type: "srt", url: `srt://:${this.port}?mode=listener&passphrase=${PASSPHRASE}&latency=${LATENCY}` };
  }

  files() {
    return [this.came];
  }
}
