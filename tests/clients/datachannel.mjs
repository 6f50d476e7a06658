// A WHEP viewer and a WHIP sender made with libdatachannel: WebRTC down to the packets, of another make than any
// browser's. The viewer counts, and decodes nothing; the sender passes on what others have encoded.

import { setTimeout as pause } from "node:timers/promises";

import rtc from "node-datachannel";

import { inTime } from "../browser/wait.mjs";
import { OPUS, PICTURE } from "./packets.mjs";

const CONNECT_MS = 20_000;
/** On a busy machine libdatachannel 0.33 now and then has no transport yet when the answer comes. */
const ATTEMPTS = 8;
const TOO_EARLY = "without ICE transport";

/** What the answer says about the packets of each kind. */
function announced(sdp) {
  const sections = sdp.split(/^m=/m).slice(1);
  return Object.fromEntries(sections.map((section) => [section.split(" ")[0], {
    ssrcs: [...new Set([...section.matchAll(/^a=ssrc:(\d+)/gm)].map(([, ssrc]) => Number(ssrc)))],
    streams: [...new Set([...section.matchAll(/^a=(?:ssrc:\d+ )?msid:(\S+)/gm)].map(([, stream]) => stream))],
    payloads: [...section.matchAll(/^a=rtpmap:(\d+) (\w+)/gm)].map(([, number, codec]) => [Number(number), codec]),
  }]));
}

function addPicture(video, codec) {
  if (codec === "H264") video.addH264Codec(PICTURE.H264);
  else video.addVP8Codec(PICTURE.VP8);
}

/** A peer with tracks, and its session at an endpoint of WHIP or WHEP. */
class Client {
  tracks = {};

  constructor(name) {
    this.peer = new rtc.PeerConnection(name, { iceServers: [], disableAutoNegotiation: true });
  }

  async connect(endpoint, token) {
    const { peer } = this;
    const gathered = new Promise((resolve) => {
      peer.onGatheringStateChange((state) => state === "complete" && resolve());
    });
    const connected = new Promise((resolve, reject) => {
      peer.onStateChange((state) => {
        if (state === "connected") resolve();
        if (state === "failed") reject(new Error("the connection failed"));
      });
    });
    connected.catch(() => {});
    peer.setLocalDescription("offer");
    await inTime("candidates are gathered", gathered, CONNECT_MS);
    this.headers = token ? { authorization: `Bearer ${token}` } : {};
    for (;;) {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { ...this.headers, "content-type": "application/sdp" },
        body: peer.localDescription().sdp,
      });
      this.answer = await response.text();
      // The room has as many as it may until those who went without a word are found out.
      if (response.status === 429) await pause(1_000);
      else if (response.status !== 201) throw new Error(`${endpoint}: ${response.status} ${this.answer}`);
      else {
        this.session = new URL(response.headers.get("location"), response.url).href;
        break;
      }
    }
    this.announced = announced(this.answer);
    peer.setRemoteDescription(this.answer, "answer");
    await inTime("the connection is up", connected, CONNECT_MS);
  }

  /** Says goodbye as WHIP and WHEP have it. */
  async leave() {
    const response = await fetch(this.session, { method: "DELETE", headers: this.headers });
    this.vanish();
    if (response.status !== 200) throw new Error(`DELETE: ${response.status} ${await response.text()}`);
  }

  /** Ends the connection without a word to the endpoint. */
  vanish() {
    this.peer.close();
  }
}

export class DataChannelViewer extends Client {
  /** Packets, bytes and SSRCs that came, by kind; `frames`: packets with the marker, which ends a picture. */
  got = {
    audio: { packets: 0, bytes: 0, ssrcs: new Set(), payloads: new Set() },
    video: { packets: 0, bytes: 0, frames: 0, ssrcs: new Set(), payloads: new Set() },
  };
  /** Called with the kind and each packet, if set. */
  onPacket = null;

  /**
   * Watches a room; resolves when the connection is up.
   *
   * @param {string} endpoint the room's WHEP address
   * @param {{codec?: "H264" | "VP8", token?: string, sound?: boolean}} how without `sound`, there is only one kind of
   *   packets: libdatachannel distinguishes two by the SSRCs that the answer names, and some servers name none
   */
  static async watch(endpoint, { codec = "H264", token, sound = true } = {}) {
    for (let attempt = 1; ; attempt += 1) {
      const viewer = new DataChannelViewer(codec, sound);
      try {
        await viewer.connect(endpoint, token);
        return viewer;
      } catch (error) {
        if (viewer.session) await viewer.leave().catch(() => {});
        else viewer.vanish();
        if (attempt === ATTEMPTS || !error.message.includes(TOO_EARLY)) throw error;
        console.error(`once more: ${error.message}`);
      }
    }
  }

  constructor(codec, sound) {
    super("viewer");
    if (sound) {
      const audio = new rtc.Audio("audio", "RecvOnly");
      audio.addOpusCodec(OPUS);
      this.tracks.audio = this.peer.addTrack(audio);
    }
    const video = new rtc.Video("video", "RecvOnly");
    addPicture(video, codec);
    this.tracks.video = this.peer.addTrack(video);
    for (const [kind, track] of Object.entries(this.tracks)) {
      track.setMediaHandler(new rtc.RtcpReceivingSession());
      track.onMessage((packet) => this.count(kind, packet));
    }
  }

  count(kind, packet) {
    const got = this.got[kind];
    got.packets += 1;
    got.bytes += packet.length;
    got.ssrcs.add(packet.readUInt32BE(8));
    got.payloads.add(packet[1] & 0x7f);
    if (kind === "video" && packet[1] & 0x80) got.frames += 1;
    this.onPacket?.(kind, packet);
  }
}

/** The SSRCs of what a sender sends, if it is not given others. */
export const SSRCS = { audio: 0x5eed0001, video: 0x5eed0002 };

export class DataChannelSender extends Client {
  /** Offers Opus and a picture to a room's WHIP address; resolves when the connection is up. */
  static async send(endpoint, { codec = "H264", token, ssrcs = SSRCS } = {}) {
    const sender = new DataChannelSender(codec, ssrcs);
    try {
      await sender.connect(endpoint, token);
      return sender;
    } catch (error) {
      sender.vanish();
      throw error;
    }
  }

  constructor(codec, ssrcs) {
    super("sender");
    const audio = new rtc.Audio("audio", "SendOnly");
    audio.addOpusCodec(OPUS);
    audio.addSSRC(ssrcs.audio, "sender", "stream", "audio");
    const video = new rtc.Video("video", "SendOnly");
    addPicture(video, codec);
    video.addSSRC(ssrcs.video, "sender", "stream", "video");
    for (const [kind, media] of Object.entries({ audio, video })) {
      const track = this.peer.addTrack(media);
      // Keeps what was sent, and sends it again when it is asked to.
      track.setMediaHandler(new rtc.RtcpNackResponder());
      this.tracks[kind] = track;
    }
  }

  /** Sends a packet of RTP with the kind's SSRC and payload type. */
  pass(kind, packet) {
    if (this.tracks[kind].isOpen()) this.tracks[kind].sendMessageBinary(packet);
  }
}
