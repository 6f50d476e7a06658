/**
 * The connection that sends microphone and camera. The server offers two m-lines, once: 0 our sound, 1 our picture.
 */

import { Connection, type ConnectionHandlers } from "./connection";
import { encodingFor, type Encoding } from "./encoding";
import type { IceServer, Shown } from "./protocol";

export interface LocalTracks {
  audio: MediaStreamTrack | null;
  video: MediaStreamTrack | null;
  /** Upper bound of what the camera may use, bits per second. */
  videoBitrate: number;
}

const AUDIO = 0;
const CAMERA = 1;

export class Sender {
  private readonly connection: Connection;
  private early: RTCIceCandidateInit[] | null = [];
  private wanted: Shown | null = null;
  /** Two changes of one sender's parameters at the same time are refused by browsers. */
  private limiting: Promise<void> = Promise.resolve();

  constructor(
    iceServers: IceServer[],
    private readonly local: () => LocalTracks,
    handlers: ConnectionHandlers,
  ) {
    this.connection = new Connection(iceServers, handlers);
  }

  get pc(): RTCPeerConnection {
    return this.connection.pc;
  }

  /** Takes the server's offer and resolves to our answer's SDP. */
  async accept(sdp: string): Promise<string> {
    await this.pc.setRemoteDescription({ type: "offer", sdp });
    const lines = this.pc.getTransceivers();
    const [audio, camera] = [lines[AUDIO], lines[CAMERA]];
    if (!audio || !camera) throw new Error(`The server offered ${lines.length} media lines instead of 2.`);
    // Sending is agreed even without a microphone or camera, so that one can be plugged in later without a new offer.
    audio.direction = "sendonly";
    camera.direction = "sendonly";
    const tracks = this.local();
    await Promise.all([audio.sender.replaceTrack(tracks.audio), camera.sender.replaceTrack(tracks.video)]);
    for (const candidate of this.early ?? []) await this.add(candidate);
    this.early = null;
    const answer = await this.pc.createAnswer();
    await this.pc.setLocalDescription(answer);
    // The tracks may have changed while the answer was made.
    await this.useLocal();
    return this.pc.localDescription?.sdp ?? answer.sdp ?? "";
  }

  /** Sends what the devices give now: after a switch of device, a mute, a camera turned off. */
  async useLocal(): Promise<void> {
    const [audio, camera] = this.pc.getTransceivers();
    if (!audio || !camera || this.connection.closed) return;
    const tracks = this.local();
    if (audio.sender.track !== tracks.audio) await audio.sender.replaceTrack(tracks.audio);
    if (camera.sender.track !== tracks.video) await camera.sender.replaceTrack(tracks.video);
    await this.limitCamera();
  }

  /** The server said how large the camera's picture is shown; no more than that is sent. */
  async shown(shown: Shown): Promise<void> {
    this.wanted = shown;
    await this.limitCamera();
  }

  /** A candidate of the server; `null` is the end of them. Those that come before the offer wait for it. */
  async candidate(candidate: string | null, mline: number): Promise<void> {
    const init: RTCIceCandidateInit = { candidate: candidate ?? "", sdpMLineIndex: mline };
    if (this.early) this.early.push(init);
    else await this.add(init);
  }

  close(): void {
    this.connection.close();
  }

  private limitCamera(): Promise<void> {
    this.limiting = this.limiting.then(async () => {
      const sender = this.pc.getTransceivers()[CAMERA]?.sender;
      if (!sender || this.connection.closed) return;
      const { width, height } = sender.track?.getSettings() ?? {};
      const size = width && height ? { width, height } : null;
      await limit(sender, encodingFor(size, this.wanted, this.local().videoBitrate));
    });
    return this.limiting;
  }

  private async add(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.pc.addIceCandidate(candidate);
    } catch {
      // One candidate that this browser cannot use (an address family, a name) does not end the connection.
    }
  }
}

async function limit(sender: RTCRtpSender, { scale, bitrate, framerate }: Encoding): Promise<void> {
  try {
    const parameters = sender.getParameters();
    const encoding = parameters.encodings?.[0];
    if (!encoding) return;
    const same =
      (encoding.scaleResolutionDownBy ?? 1) === scale &&
      encoding.maxBitrate === bitrate &&
      (encoding.maxFramerate ?? null) === framerate;
    if (same) return;
    encoding.scaleResolutionDownBy = scale;
    encoding.maxBitrate = bitrate;
    if (framerate === null) delete encoding.maxFramerate;
    else encoding.maxFramerate = framerate;
    await sender.setParameters(parameters);
  } catch {
    // Some browsers refuse before the first packet; the server's own bandwidth estimate limits them then.
  }
}
