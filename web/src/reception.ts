/** Receiving within one stay: makes the receiving connection, and makes it again when it alone is lost. */

import { delayMs } from "./backoff";
import type { ClientMessage } from "./protocol";
import type { ReceiverHandlers } from "./receiver";
import { Trickle } from "./trickle";

/** The part that this needs of a receiving connection. */
export interface SessionReceiver {
  offer(): Promise<string>;
  accept(sdp: string): Promise<void>;
  close(): void;
}

export interface ReceptionHandlers {
  send(message: ClientMessage): void;
  stream(stream: MediaStream): void;
  /** The server has taken the connection and takes what to send over it. */
  answered(): void;
  connected(): void;
  /** The connection is lost; another one follows. */
  interrupted(): void;
  /** It was lost too often for another attempt. */
  failed(): void;
}

/** So many losses in a row are no longer put down to the receiving connection alone. */
const MOST_LOSSES = 3;
/** A connection that stood this long was a good one: the next loss is a first one. */
const STABLE_MS = 10_000;

export class Reception {
  private receiver: SessionReceiver | null = null;
  private losses = 0;
  private connectedAt: number | null = null;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly makeReceiver: (handlers: ReceiverHandlers) => SessionReceiver,
    private readonly handlers: ReceptionHandlers,
  ) {}

  /** Makes a connection and offers it. */
  async open(): Promise<void> {
    this.close();
    const trickle = new Trickle(this.handlers.send, "receive");
    const current = (act: () => void) => {
      if (receiver === this.receiver) act();
    };
    const receiver: SessionReceiver = this.makeReceiver({
      candidate: (candidate, mline) => current(() => trickle.candidate(candidate, mline)),
      stream: (stream) => current(() => this.handlers.stream(stream)),
      connected: () => current(() => this.connected()),
      lost: () => current(() => this.lost()),
    });
    this.receiver = receiver;
    try {
      const sdp = await receiver.offer();
      current(() => trickle.begin({ type: "receive", sdp }));
    } catch (error) {
      console.warn("The receiving connection could not be offered:", error);
      current(() => this.lost());
    }
  }

  /** The server's answer to the offer. */
  async answer(sdp: string): Promise<void> {
    const receiver = this.receiver;
    try {
      await receiver?.accept(sdp);
      if (receiver && receiver === this.receiver) this.handlers.answered();
    } catch (error) {
      console.warn("The server's answer could not be used:", error);
      if (receiver === this.receiver) this.lost();
    }
  }

  /** The network is back: no reason to wait for the timer. */
  hurry(): void {
    if (this.retry !== undefined) void this.open();
  }

  close(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    const receiver = this.receiver;
    this.receiver = null;
    this.connectedAt = null;
    receiver?.close();
  }

  private connected(): void {
    this.connectedAt ??= Date.now();
    this.handlers.connected();
  }

  private lost(): void {
    if (this.connectedAt !== null && Date.now() - this.connectedAt >= STABLE_MS) this.losses = 0;
    this.close();
    this.losses += 1;
    if (this.losses >= MOST_LOSSES) return this.handlers.failed();
    this.retry = setTimeout(() => void this.open(), delayMs(this.losses - 1));
    this.handlers.interrupted();
  }
}
