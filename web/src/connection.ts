/** The common part of a page's two WebRTC connections: settings, candidates, and how to know a standing one from a lost one. */

import type { IceServer } from "./protocol";

export interface ConnectionHandlers {
  /** A candidate of this page; `null` is the end of them. */
  candidate(candidate: string | null, mline: number): void;
  /** The connection is of no use any more. */
  lost(why: string): void;
}

/** ICE often heals a short gap by itself; a person notices four seconds of a standing picture. */
const DISCONNECTED_MS = 4_000;

/** One WebRTC connection. It is negotiated once; a failed one is thrown away. */
export class Connection {
  readonly pc: RTCPeerConnection;
  private graceTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    iceServers: IceServer[],
    private readonly handlers: ConnectionHandlers & { connected?(): void },
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

  get closed(): boolean {
    return this.pc.signalingState === "closed";
  }

  close(): void {
    clearTimeout(this.graceTimer);
    this.pc.onicecandidate = null;
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  private watch(): void {
    clearTimeout(this.graceTimer);
    switch (this.pc.connectionState) {
      case "connected":
        this.handlers.connected?.();
        break;
      case "disconnected":
        this.graceTimer = setTimeout(() => this.handlers.lost("media stopped"), DISCONNECTED_MS);
        break;
      case "failed":
        this.handlers.lost("no way through the network");
        break;
    }
  }
}
