// libdatachannel as a client; see wish.mjs. It neither encodes nor decodes: packets come from an ffmpeg, and go on to one.

import { setTimeout as pause } from "node:timers/promises";

import { Recording, startPackets } from "./packets.mjs";
import { lacking, readWish, say, sending } from "./wish.mjs";

const installed = await Promise.all([import("node-datachannel"), import("./datachannel.mjs")]).catch(() => null);
if (!installed) lacking("libdatachannel for Node is not installed: npm ci");
const [{ default: rtc }, { DataChannelSender, DataChannelViewer, SSRCS }] = installed;
const version = `libdatachannel ${rtc.getLibraryVersion()}`;

async function send({ endpoint, token, codec, color, tone }) {
  const sender = await DataChannelSender.send(endpoint, { codec, token });
  const end = await startPackets({ codec, color, tone }, SSRCS, (kind, packet) => sender.pass(kind, packet));
  await sending({ version, codec });
  await end();
  await sender.leave();
}

async function watch({ endpoint, token, codec, seconds, tones }) {
  const viewer = await DataChannelViewer.watch(endpoint, { codec, token });
  const { got, announced } = viewer;
  const payload = (kind, wanted) => announced[kind].payloads.find(([, name]) => name.toUpperCase() === wanted)[0];
  const payloads = { audio: payload("audio", "OPUS"), video: payload("video", codec) };
  const recording = await Recording.start({ codec, payloads });
  viewer.onPacket = (kind, packet) => recording.write(kind, packet);
  // It needs a picture that it can begin with.
  viewer.tracks.video.requestKeyframe();
  const [before, from] = [got.video.frames, performance.now()];
  await pause(seconds * 1_000);
  const fps = ((got.video.frames - before) * 1_000) / (performance.now() - from);
  const seen = await recording.look(tones);
  await viewer.leave();
  for (const kind of ["audio", "video"]) {
    const came = [...got[kind].ssrcs];
    const told = announced[kind].ssrcs;
    const fits = told.length === 0 || came.every((ssrc) => told.includes(ssrc));
    if (!fits) throw new Error(`${kind}: the answer names ${told}, and ${came} came`);
    if (announced[kind].streams.length === 0) throw new Error(`${kind}: the answer has no msid`);
  }
  if (announced.audio.streams[0] !== announced.video.streams[0]) throw new Error("picture and sound are no one stream");
  say({ version, codec, fps, ...seen, lost: null, retransmitted: null });
}

const wish = { codec: "H264", ...readWish() };
await (wish.color ? send(wish) : watch(wish));
process.exit(0);
