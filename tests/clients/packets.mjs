// Packets in and out of ffmpeg, for clients that neither encode nor decode: a coloured picture and a tone as RTP, and a
// recording of RTP that can be looked at.

import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { frameOf } from "../browser/picture.mjs";
import { scratch } from "../browser/place.mjs";
import { toneLevels } from "../browser/tones.mjs";

export const OPUS = 111;
export const PICTURE = { H264: 102, VP8: 96 };

const ENCODERS = {
  H264: ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline", "-bf", "0"],
  VP8: ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "800k"],
};

async function bound(port = 0) {
  const socket = createSocket("udp4").bind(port, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

/**
 * Starts a coloured picture and a tone as packets, with a keyframe each second.
 *
 * @param {{codec: "H264" | "VP8", color: number[], tone: number, size?: string, fps?: number}} wish
 * @param {{audio: number, video: number}} ssrcs
 * @param {(kind: "audio" | "video", packet: Buffer) => void} onPacket
 * @returns what ends it
 */
export async function startPackets({ codec, color, tone, size = "640x360", fps = 30 }, ssrcs, onPacket) {
  const sockets = {};
  for (const kind of ["audio", "video"]) {
    sockets[kind] = await bound();
    sockets[kind].on("message", (packet) => onPacket(kind, packet));
  }
  // Its reports would have to have ports of their own; they go where the packets go, and are passed on with them.
  const to = (kind, payload) => {
    const { port } = sockets[kind].address();
    const rtp = `rtp://127.0.0.1:${port}?rtcpport=${port}&pkt_size=1200`;
    return ["-payload_type", `${payload}`, "-ssrc", `${ssrcs[kind]}`, "-f", "rtp", rtp];
  };
  const hex = color.map((value) => value.toString(16).padStart(2, "0")).join("");
  const picture = ["-re", "-f", "lavfi", "-i", `color=c=0x${hex}:s=${size}:r=${fps}`];
  const sound = ["-re", "-f", "lavfi", "-i", `sine=frequency=${tone}:sample_rate=48000`];
  const encoded = [...ENCODERS[codec], "-pix_fmt", "yuv420p", "-g", `${fps}`];
  // A sine of ffmpeg is at -18 dB.
  const loud = ["-af", "volume=2", "-c:a", "libopus", "-ac", "2"];
  const output = ["-map", "0", ...encoded, ...to("video", PICTURE[codec]), "-map", "1", ...loud, ...to("audio", OPUS)];
  const child = spawn("ffmpeg", ["-v", "fatal", ...picture, ...sound, ...output], { stdio: ["pipe", "ignore", "inherit"] });
  return async () => {
    const ended = once(child, "exit");
    child.stdin.end("q");
    await ended;
    for (const socket of Object.values(sockets)) socket.close();
  };
}

/** Whether a packet that came on a line of both is a report of RTCP. */
export function isReport(packet) {
  return packet[1] >= 192 && packet[1] <= 223;
}

/** A UDP port that is free now. */
async function freePort() {
  const socket = await bound();
  const { port } = socket.address();
  socket.close();
  return port;
}

/** A recording of packets by ffmpeg, which decodes them afterwards. */
export class Recording {
  /** Starts it; `payloads` says by which numbers sound and picture come. */
  static async start({ codec, payloads }) {
    const ports = { audio: await freePort(), video: await freePort() };
    const recording = new Recording(codec, payloads, ports);
    // It has to open its ports first; nothing reports when it has.
    await pause(500);
    return recording;
  }

  constructor(codec, { audio, video }, ports) {
    this.ports = ports;
    this.out = createSocket("udp4");
    this.file = join(scratch, "seen.mkv");
    const sdp = join(scratch, "forward.sdp");
    writeFileSync(sdp, [
      "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
      `m=audio ${ports.audio} RTP/AVP ${audio}`, `a=rtpmap:${audio} opus/48000/2`,
      `m=video ${ports.video} RTP/AVP ${video}`, `a=rtpmap:${video} ${codec}/90000`,
      ...(codec === "H264" ? [`a=fmtp:${video} packetization-mode=1`] : []), "",
    ].join("\r\n"));
    const input = ["-protocol_whitelist", "file,udp,rtp", "-i", sdp];
    // Until the first whole picture it complains of each packet.
    const args = ["-v", "fatal", "-y", ...input, "-c", "copy", this.file];
    this.child = spawn("ffmpeg", args, { stdio: ["pipe", "ignore", "inherit"] });
    this.ended = once(this.child, "exit");
  }

  write(kind, packet) {
    if (this.child.exitCode === null) this.out.send(packet, this.ports[kind], "127.0.0.1");
  }

  /**
   * Ends it, which takes packets: ffmpeg looks at its stdin between them. Resolves to its size, the colour of its
   * middle and how loud each of the tones is.
   */
  async look(tones) {
    this.child.stdin.end("q");
    await this.ended;
    this.out.close();
    const wanted = ["-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0"];
    const said = execFileSync("ffprobe", ["-v", "error", ...wanted, this.file], { encoding: "utf8" });
    const [width, height] = said.split(",").map(Number);
    const color = frameOf(this.file, 1, { width, height }).at(width / 2, height / 2);
    return { width, height, color, tones: toneLevels(this.file, tones) };
  }
}
