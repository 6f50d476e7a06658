/** The connection that receives the room's sound and picture. This page offers it, the server answers. */

import { preferred, takesStereo } from "./codecs";
import { Connection, type ConnectionHandlers } from "./connection";
import type { IceServer } from "./protocol";

export interface ReceiverHandlers extends ConnectionHandlers {
  connected(): void;
  /** Sound and picture of the room, just before it is connected. */
  stream(stream: MediaStream): void;
}

export class Receiver {
  private readonly connection: Connection;
  private stream: MediaStream | null = null;

  /** `codecs`: names of video codecs, best first; no others are offered. */
  constructor(
    iceServers: IceServer[],
    private readonly codecs: string[],
    private readonly handlers: ReceiverHandlers,
  ) {
    this.connection = new Connection(iceServers, { ...handlers, connected: () => this.connected() });
  }

  get pc(): RTCPeerConnection {
    return this.connection.pc;
  }

  /** Resolves to the offer's SDP: sound first, then the picture. */
  async offer(): Promise<string> {
    this.pc.addTransceiver("audio", { direction: "recvonly" });
    const video = this.pc.addTransceiver("video", { direction: "recvonly" });
    const codecs = preferred(RTCRtpReceiver.getCapabilities("video")?.codecs ?? [], this.codecs);
    // Older Firefox has no such method: it offers all it can, in its own order.
    if (codecs.length > 0 && "setCodecPreferences" in video) video.setCodecPreferences(codecs);
    const offer = await this.pc.createOffer();
    await this.pc.setLocalDescription({ type: "offer", sdp: takesStereo(offer.sdp ?? "") });
    return this.pc.localDescription?.sdp ?? "";
  }

  /** Takes the server's answer. */
  async accept(sdp: string): Promise<void> {
    await this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  close(): void {
    this.connection.close();
  }

  private connected(): void {
    // The picture of a connection before this one stays in view until now.
    if (!this.stream) {
      this.stream = new MediaStream(this.pc.getReceivers().map(({ track }) => track));
      this.handlers.stream(this.stream);
    }
    this.handlers.connected();
  }
}
