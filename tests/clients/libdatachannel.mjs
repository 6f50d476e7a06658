// libdatachannel as a client; see wish.mjs. It decodes nothing: packets go on, as they come, to an ffmpeg that does.

import { execFileSync, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { frameOf } from "../browser/picture.mjs";
import { scratch } from "../browser/place.mjs";
import { toneLevels } from "../browser/tones.mjs";
import { lacking, readWish } from "./wish.mjs";

const installed = await Promise.all([import("node-datachannel"), import("./datachannel.mjs")]).catch(() => null);
if (!installed) lacking("libdatachannel for Node is not installed: npm ci");
const [{ default: rtc }, { DataChannelViewer }] = installed;

/** A UDP port that is free now. */
async function freePort() {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Starts to record the packets that come to two ports; `announced` says what is in them. */
function record(file, ports, announced, codec) {
  const payload = (kind, wanted) => announced[kind].payloads.find(([, name]) => name.toUpperCase() === wanted);
  const [opus] = payload("audio", "OPUS");
  const [picture] = payload("video", codec);
  const sdp = join(scratch, "forward.sdp");
  writeFileSync(sdp, [
    "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
    `m=audio ${ports.audio} RTP/AVP ${opus}`, `a=rtpmap:${opus} opus/48000/2`,
    `m=video ${ports.video} RTP/AVP ${picture}`, `a=rtpmap:${picture} ${codec}/90000`,
    ...(codec === "H264" ? [`a=fmtp:${picture} packetization-mode=1`] : []), "",
  ].join("\r\n"));
  const input = ["-protocol_whitelist", "file,udp,rtp", "-i", sdp];
  // Until the first whole picture it complains of each packet.
  return spawn("ffmpeg", ["-v", "fatal", "-y", ...input, "-c", "copy", file], { stdio: ["pipe", "ignore", "inherit"] });
}

/** Width and height of a recording. */
function sizeOf(file) {
  const wanted = ["-select_streams", "v", "-show_entries", "stream=width,height", "-of", "csv=p=0"];
  const said = execFileSync("ffprobe", ["-v", "error", ...wanted, file], { encoding: "utf8" });
  const [width, height] = said.split(",").map(Number);
  return { width, height };
}

const { endpoint, seconds, tones, token, codec = "H264" } = readWish();
const ports = { audio: await freePort(), video: await freePort() };
const viewer = await DataChannelViewer.watch(endpoint, { codec, token });
const out = createSocket("udp4");
const file = join(scratch, "seen.mkv");
const recorder = record(file, ports, viewer.announced, codec);
const ended = once(recorder, "exit");
viewer.onPacket = (kind, packet) => out.send(packet, ports[kind], "127.0.0.1");
// The recorder opens its ports, and then needs a picture that it can begin with.
await pause(1_000);
viewer.tracks.video.requestKeyframe();
const [before, from] = [viewer.got.video.frames, performance.now()];
await pause(seconds * 1_000);
const fps = ((viewer.got.video.frames - before) * 1_000) / (performance.now() - from);
recorder.stdin.end("q");
await ended;
await viewer.leave();
out.close();

const { got, announced } = viewer;
for (const kind of ["audio", "video"]) {
  const came = [...got[kind].ssrcs];
  const told = announced[kind].ssrcs;
  const fits = told.length === 0 || came.every((ssrc) => told.includes(ssrc));
  if (!fits) throw new Error(`${kind}: the answer names ${told}, and ${came} came`);
  if (announced[kind].streams.length === 0) throw new Error(`${kind}: the answer has no msid`);
}
if (announced.audio.streams[0] !== announced.video.streams[0]) throw new Error("picture and sound are no one stream");
const size = sizeOf(file);
const picture = frameOf(file, 1, size);
console.log(JSON.stringify({
  version: `libdatachannel ${rtc.getLibraryVersion()}`,
  codec,
  ...size,
  color: picture.at(size.width / 2, size.height / 2),
  fps,
  tones: toneLevels(file, tones),
  lost: null,
  retransmitted: null,
}));
process.exit(0);
