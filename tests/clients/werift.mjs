// werift, WebRTC in TypeScript, as a client; see wish.mjs. It neither encodes nor decodes: packets come from an ffmpeg, and
// go on to one.

import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";

import { inTime } from "../browser/wait.mjs";
import { isReport, Recording, startPackets } from "./packets.mjs";
import { lacking, readWish, say, sending } from "./wish.mjs";

const CONNECT_MS = 20_000;

const missing = () => lacking("werift is not installed: npm ci");
const werift = await import("werift").catch(missing);
const manifest = readFileSync(new URL("node_modules/werift/package.json", import.meta.url), "utf8");
const version = `werift ${JSON.parse(manifest).version}`;

function peerFor(codec) {
  const video = codec === "H264" ? werift.useH264() : werift.useVP8();
  return new werift.RTCPeerConnection({ iceServers: [], codecs: { audio: [werift.useOPUS()], video: [video] } });
}

/** Offers what the peer has to an endpoint; resolves to what ends the session when the connection is up. */
async function connect(peer, { endpoint, token }) {
  const headers = { "content-type": "application/sdp", ...(token && { authorization: `Bearer ${token}` }) };
  await peer.setLocalDescription(await peer.createOffer());
  if (peer.iceGatheringState !== "complete") {
    const complete = peer.iceGatheringStateChange.watch((state) => state === "complete");
    await inTime("candidates are gathered", complete, CONNECT_MS);
  }
  const response = await fetch(endpoint, { method: "POST", headers, body: peer.localDescription.sdp });
  const answer = await response.text();
  if (response.status !== 201) throw new Error(`${endpoint}: ${response.status} ${answer}`);
  const connected = peer.connectionStateChange.watch((state) => state === "connected");
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  await inTime("the connection is up", connected, CONNECT_MS);
  return async () => {
    const gone = await fetch(new URL(response.headers.get("location"), response.url), { method: "DELETE", headers });
    if (gone.status !== 200) throw new Error(`DELETE: ${gone.status} ${await gone.text()}`);
    await peer.close();
  };
}

async function send({ codec, color, tone, ...where }) {
  const peer = peerFor(codec);
  const tracks = {};
  for (const kind of ["audio", "video"]) {
    tracks[kind] = new werift.MediaStreamTrack({ kind });
    peer.addTransceiver(tracks[kind], { direction: "sendonly" });
  }
  const leave = await connect(peer, where);
  // SSRCs and payload types become werift's own, and so do reports.
  const pass = (kind, packet) => isReport(packet) || tracks[kind].writeRtp(packet);
  const end = await startPackets({ codec, color, tone }, { audio: 1, video: 2 }, pass);
  await sending({ version, codec });
  await end();
  await leave();
}

async function watch({ codec, seconds, tones, ...where }) {
  const peer = peerFor(codec);
  const tracks = {};
  peer.onTrack.subscribe((track) => (tracks[track.kind] = track));
  for (const kind of ["audio", "video"]) peer.addTransceiver(kind, { direction: "recvonly" });
  const leave = await connect(peer, where);
  const payloads = { audio: tracks.audio.codec.payloadType, video: tracks.video.codec.payloadType };
  const recording = await Recording.start({ codec, payloads });
  let frames = 0;
  for (const [kind, track] of Object.entries(tracks)) {
    track.onReceiveRtp.subscribe((packet) => {
      if (kind === "video" && packet.header.marker) frames += 1;
      recording.write(kind, packet.serialize());
    });
  }
  const [receiver] = peer.getTransceivers().filter(({ kind }) => kind === "video").map(({ receiver }) => receiver);
  receiver.sendRtcpPLI(tracks.video.ssrc);
  const from = performance.now();
  await pause(seconds * 1_000);
  const fps = (frames * 1_000) / (performance.now() - from);
  const seen = await recording.look(tones);
  await leave();
  say({ version, codec, fps, ...seen, lost: null, retransmitted: null });
}

const wish = { codec: "H264", ...readWish() };
await (wish.color ? send(wish) : watch(wish));
process.exit(0);
