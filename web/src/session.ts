/** A stay in a room: the WebSocket, the peer that belongs to it, and coming back after either is lost. */

import { delayMs } from "./backoff";
import type { PeerHandlers } from "./peer";
import { afterClose, parseMessage, type ClientMessage, type IceServer, type RoomEvent, type Welcome } from "./protocol";
import { problemText } from "./problem";

export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

/** What a session needs of a peer connection. */
export interface SessionPeer {
  accept(sdp: string): Promise<string>;
  candidate(candidate: string | null, mline: number): Promise<void>;
  useLocal(): Promise<void>;
  close(): void;
}

export interface SessionSettings {
  name: string;
  /** The secret of an earlier connection whose place is taken back. */
  resume: string | null;
  receive: string[];
  send: string[];
  url: string;
  makePeer(iceServers: IceServer[], handlers: PeerHandlers): SessionPeer;
  /** Why the socket did not even open: a sentence if trying again is pointless, else `null`. */
  whyRefused(): Promise<string | null>;
}

export interface SessionHandlers {
  /** `why` is a sentence when the session is over for a reason that the user did not choose. */
  state(state: ConnectionState, why: string | null): void;
  welcome(welcome: Welcome): void;
  event(event: RoomEvent): void;
  stream(stream: MediaStream): void;
}

/** From opening the socket to media flowing. ICE over TURN and a cold server fit well into it. */
const CONNECT_MS = 15_000;
/** A connection that stood this long was a good one: the next loss starts with short waits again. */
const STABLE_MS = 10_000;

interface Link {
  socket: WebSocket;
  peer: SessionPeer | null;
  opened: boolean;
  /** Our candidates wait for our answer: without it the server has nothing to add them to. `null` once it is sent. */
  held: ClientMessage[] | null;
  resumed: boolean;
  connectedAt: number | null;
  problem: string | null;
  watchdog: ReturnType<typeof setTimeout>;
}

export class Session {
  state: ConnectionState = "idle";
  private link: Link | null = null;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private resume: string | null;
  private media = { audio: false, video: false };

  constructor(
    private readonly settings: SessionSettings,
    private readonly handlers: SessionHandlers,
  ) {
    this.resume = settings.resume;
  }

  start(): void {
    if (this.state !== "idle") return;
    this.setState("connecting");
    this.open();
  }

  /** Leaves for good. */
  leave(): void {
    this.sendMessage({ type: "leave" });
    this.end(null);
  }

  /** Tells the room about the user's own switches, now and after every reconnect. */
  announce(audio: boolean, video: boolean): void {
    if (this.media.audio === audio && this.media.video === video) return;
    this.media = { audio, video };
    this.sendMessage({ type: "media", audio, video });
  }

  /** The devices gave new tracks. */
  async useLocal(): Promise<void> {
    await this.link?.peer?.useLocal();
  }

  /** The network is back: no reason to wait for the timer. */
  hurry(): void {
    if (this.retry === undefined) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.open();
  }

  private open(): void {
    const socket = new WebSocket(this.settings.url);
    const link: Link = {
      socket,
      peer: null,
      opened: false,
      held: [],
      resumed: this.resume !== null,
      connectedAt: null,
      problem: null,
      watchdog: setTimeout(() => this.lost(link), CONNECT_MS),
    };
    this.link = link;
    socket.onopen = () => {
      link.opened = true;
      const { name, receive, send } = this.settings;
      this.sendMessage({ type: "join", name, resume: this.resume, receive, send });
    };
    socket.onmessage = ({ data }) => {
      if (link === this.link && typeof data === "string") void this.receive(link, data);
    };
    socket.onclose = ({ code }) => {
      if (link === this.link) this.closed(link, code);
    };
  }

  private async receive(link: Link, text: string): Promise<void> {
    const message = parseMessage(text);
    switch (message?.type) {
      case "welcome":
        this.resume = message.resume;
        link.peer?.close();
        link.peer = this.settings.makePeer(message.ice_servers, this.peerHandlers(link));
        this.sendMessage({ type: "media", ...this.media });
        this.handlers.welcome(message);
        break;
      case "offer":
        await this.answer(link, message.sdp);
        break;
      case "candidate":
        await link.peer?.candidate(message.candidate, message.mline);
        break;
      case "connected":
        this.connected(link);
        break;
      case "event":
        this.handlers.event(message.event);
        break;
      case "error":
        link.problem = problemText(message.problem);
        break;
    }
  }

  private async answer(link: Link, offer: string): Promise<void> {
    try {
      const sdp = await link.peer?.accept(offer);
      if (link !== this.link || !sdp) return;
      this.sendMessage({ type: "answer", sdp });
      link.held?.forEach((message) => this.sendMessage(message));
      link.held = null;
    } catch (error) {
      console.warn("The offer could not be answered:", error);
      this.lost(link);
    }
  }

  private peerHandlers(link: Link): PeerHandlers {
    const current = (act: () => void) => {
      if (link === this.link) act();
    };
    return {
      candidate: (candidate, mline) => {
        const message: ClientMessage = { type: "candidate", candidate, mline };
        current(() => (link.held ? link.held.push(message) : this.sendMessage(message)));
      },
      stream: (stream) => current(() => this.handlers.stream(stream)),
      connected: () => current(() => this.connected(link)),
      lost: () => this.lost(link),
    };
  }

  private connected(link: Link): void {
    if (link.connectedAt !== null) return;
    clearTimeout(link.watchdog);
    link.connectedAt = Date.now();
    this.setState("connected");
  }

  /** The connection broke on our side. */
  private lost(link: Link): void {
    if (link === this.link) this.again(link);
  }

  private closed(link: Link, code: number): void {
    const next = afterClose(code, link.problem, link.resumed);
    if (!next.reconnect) {
      this.end(next.why);
      return;
    }
    if (next.fresh) this.resume = null;
    if (link.opened) {
      this.again(link);
      return;
    }
    // A refused handshake and an unreachable server look the same from here; the REST API tells them apart.
    void this.settings.whyRefused().then((why) => {
      if (link !== this.link) return;
      if (why) this.end(why);
      else this.again(link);
    });
  }

  private again(link: Link): void {
    if (link.connectedAt !== null && Date.now() - link.connectedAt >= STABLE_MS) this.attempt = 0;
    this.discard(link);
    this.setState("reconnecting");
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.open();
    }, delayMs(this.attempt));
    this.attempt += 1;
  }

  private end(why: string | null): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    if (this.link) this.discard(this.link);
    this.setState("closed", why);
  }

  private discard(link: Link): void {
    this.link = null;
    clearTimeout(link.watchdog);
    link.peer?.close();
    link.socket.onopen = link.socket.onmessage = link.socket.onclose = null;
    link.socket.close(1000);
  }

  private sendMessage(message: ClientMessage): void {
    const socket = this.link?.socket;
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
  }

  private setState(state: ConnectionState, why: string | null = null): void {
    if (this.state === state) return;
    this.state = state;
    this.handlers.state(state, why);
  }
}
