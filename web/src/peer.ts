/**
 * One WebRTC connection to the room. The server offers three m-lines, once: 0 our sound and the mix's, 1 our camera,
 * 2 the mixed picture. Nothing is negotiated again; a failed connection is thrown away.
 */

import type { IceServer } from "./protocol";

export interface LocalTracks {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
  /** Upper bound of what the camera may use, bits per second. */
  videoBitrate: number;
}

export interface PeerHandlers {
  candidate(candidate: string | null, mline: number): void;
  /** Sound and picture of the room, once the offer is accepted. */
  stream(stream: MediaStream): void;
  connected(): void;
  /** The connection is of no use any more. */
  lost(why: string): void;
}

const AUDIO = 0;
const CAMERA = 1;
const MIX = 2;
/** ICE often heals a short gap by itself; a person notices four seconds of a standing picture. */
const DISCONNECTED_MS = 4_000;

export class Peer {
  readonly pc: RTCPeerConnection;
  private early: RTCIceCandidateInit[] | null = [];
  private graceTimer: number | undefined;
  private closed = false;

  constructor(
    iceServers: IceServer[],
    private readonly local: () => LocalTracks,
    private readonly handlers: PeerHandlers,
  ) {
    this.pc = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      iceServers: iceServers.map(({ urls, username, credential }) => ({
        urls,
        ...(username === null || username === undefined ? {} : { username }),
        ...(credential === null || credential === undefined ? {} : { credential }),
      })),
    });
    this.pc.onicecandidate = ({ candidate }) => {
      handlers.candidate(candidate?.candidate || null, candidate?.sdpMLineIndex ?? 0);
    };
    this.pc.onconnectionstatechange = () => this.watch();
  }

  /** Takes the server's offer and resolves to our answer's SDP. */
  async accept(sdp: string): Promise<string> {
    await this.pc.setRemoteDescription({ type: "offer", sdp });
    const lines = this.pc.getTransceivers();
    const [audio, camera, mix] = [lines[AUDIO], lines[CAMERA], lines[MIX]];
    if (!audio || !camera || !mix) throw new Error(`The server offered ${lines.length} media lines instead of 3.`);
    // Sending is agreed even without a microphone or camera, so that one can be plugged in later without a new offer.
    audio.direction = "sendrecv";
    camera.direction = "sendonly";
    mix.direction = "recvonly";
    const tracks = this.local();
    await Promise.all([audio.sender.replaceTrack(tracks.audio), camera.sender.replaceTrack(tracks.video)]);
    for (const candidate of this.early ?? []) await this.add(candidate);
    this.early = null;
    const answer = await this.pc.createAnswer();
    await this.pc.setLocalDescription(answer);
    // The tracks may have changed while the answer was made.
    await this.useLocal();
    this.handlers.stream(new MediaStream([audio.receiver.track, mix.receiver.track]));
    return this.pc.localDescription?.sdp ?? answer.sdp ?? "";
  }

  /** Sends what the devices give now: after a switch of device, a mute, a camera turned off. */
  async useLocal(): Promise<void> {
    const [audio, camera] = this.pc.getTransceivers();
    if (!audio || !camera || this.closed) return;
    const tracks = this.local();
    if (audio.sender.track !== tracks.audio) await audio.sender.replaceTrack(tracks.audio);
    if (camera.sender.track !== tracks.video) await camera.sender.replaceTrack(tracks.video);
    await limitBitrate(camera.sender, tracks.videoBitrate);
  }

  /** A candidate of the server; `null` is the end of them. Those that come before the offer wait for it. */
  async candidate(candidate: string | null, mline: number): Promise<void> {
    const init: RTCIceCandidateInit = { candidate: candidate ?? "", sdpMLineIndex: mline };
    if (this.early) this.early.push(init);
    else await this.add(init);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.graceTimer);
    this.pc.onicecandidate = null;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  private async add(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.pc.addIceCandidate(candidate);
    } catch {
      // One candidate that this browser cannot use (an address family, a name) does not end the connection.
    }
  }

  private watch(): void {
    clearTimeout(this.graceTimer);
    switch (this.pc.connectionState) {
      case "connected":
        this.handlers.connected();
        break;
      case "disconnected":
        this.graceTimer = window.setTimeout(() => this.handlers.lost("media stopped"), DISCONNECTED_MS);
        break;
      case "failed":
        this.handlers.lost("no way through the network");
        break;
    }
  }
}

async function limitBitrate(sender: RTCRtpSender, maxBitrate: number): Promise<void> {
  const parameters = sender.getParameters();
  const encoding = parameters.encodings?.[0];
  if (!encoding || encoding.maxBitrate === maxBitrate) return;
  encoding.maxBitrate = maxBitrate;
  try {
    await sender.setParameters(parameters);
  } catch {
    // Some browsers refuse before the first packet; the server's own bandwidth estimate limits them then.
  }
}
