/** A stay in a room: the WebSocket, the two connections that belong to it, and coming back after one of them is lost. */

import { delayMs } from "./backoff";
import type { ConnectionHandlers } from "./connection";
import { problemText } from "./problem";
import {
  afterClose,
  parseMessage,
  type ClientMessage,
  type Delivery,
  type IceServer,
  type RoomEvent,
  type Shown,
  type View,
  type Welcome,
} from "./protocol";
import type { ReceiverHandlers } from "./receiver";
import { Reception, type SessionReceiver } from "./reception";
import { Trickle } from "./trickle";

export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

/** The part that a session needs of the sending connection. */
export interface SessionSender {
  accept(sdp: string): Promise<string>;
  candidate(candidate: string | null, mline: number): Promise<void>;
  useLocal(): Promise<void>;
  shown(shown: Shown): Promise<void>;
  close(): void;
}

export interface SessionSettings {
  name: string;
  /** The secret of an earlier connection whose place is taken back. */
  resume: string | null;
  receive: string[];
  send: string[];
  url: string;
  makeSender(iceServers: IceServer[], handlers: ConnectionHandlers): SessionSender;
  makeReceiver(iceServers: IceServer[], handlers: ReceiverHandlers): SessionReceiver;
  /** Returns why the socket did not even open: a sentence if trying again is pointless, else `null`. */
  whyRefused(): Promise<string | null>;
}

export interface SessionHandlers {
  /** `why` is a sentence when the session is over for a reason that the user did not choose. */
  state(state: ConnectionState, why: string | null): void;
  welcome(welcome: Welcome): void;
  event(event: RoomEvent): void;
  stream(stream: MediaStream): void;
  /** The server has taken a receiving connection: it wants to know what this page can use. */
  receiving(): void;
  delivery(delivery: Delivery): void;
}

/** From opening the socket, or losing the receiving connection, to media flowing both ways. ICE over TURN and a cold server fit well into it. */
const CONNECT_MS = 15_000;
/** A connection that stood this long was a good one: the next loss starts with short waits again. */
const STABLE_MS = 10_000;

interface Link {
  socket: WebSocket;
  sender: SessionSender | null;
  reception: Reception | null;
  trickle: Trickle;
  /** Which of the two connections stand. */
  sends: boolean;
  receives: boolean;
  opened: boolean;
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

  /** Reports the user's own switches to the room, now and after every reconnect. */
  announce(audio: boolean, video: boolean): void {
    if (this.media.audio === audio && this.media.video === video) return;
    this.media = { audio, video };
    this.sendMessage({ type: "media", audio, video });
  }

  /** Says whether the user, who is backstage, can be put on air. */
  ready(ready: boolean): void {
    this.sendMessage({ type: "ready", ready });
  }

  /** The devices gave new tracks. */
  async useLocal(): Promise<void> {
    await this.link?.sender?.useLocal();
  }

  /** Reports to the server what picture this page can use. */
  view(view: View): void {
    this.sendMessage({ type: "view", ...view });
  }

  /** The network is back: no reason to wait for the timer. */
  hurry(): void {
    this.link?.reception?.hurry();
    if (this.retry === undefined) return;
    clearTimeout(this.retry);
    this.retry = undefined;
    this.open();
  }

  private open(): void {
    const socket = new WebSocket(this.settings.url);
    const link: Link = {
      socket,
      sender: null,
      reception: null,
      trickle: new Trickle((message) => this.sendMessage(message)),
      sends: false,
      receives: false,
      opened: false,
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
        this.sendMessage({ type: "media", ...this.media });
        this.connect(link, message.ice_servers);
        this.handlers.welcome(message);
        break;
      case "offer":
        await this.answer(link, message.sdp);
        break;
      case "candidate":
        await link.sender?.candidate(message.candidate, message.mline);
        break;
      case "connected":
        link.sends = true;
        this.settle(link);
        break;
      case "answer":
        await link.reception?.answer(message.sdp);
        break;
      case "delivery":
        this.handlers.delivery(message);
        break;
      case "shown":
        await link.sender?.shown(message);
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
      const sdp = await link.sender?.accept(offer);
      if (link === this.link && sdp) link.trickle.begin({ type: "answer", sdp });
    } catch (error) {
      console.warn("The offer could not be answered:", error);
      this.lost(link);
    }
  }

  private connect(link: Link, iceServers: IceServer[]): void {
    const current = (act: () => void) => {
      if (link === this.link) act();
    };
    link.sender?.close();
    link.reception?.close();
    link.sender = this.settings.makeSender(iceServers, {
      candidate: (candidate, mline) => current(() => link.trickle.candidate(candidate, mline)),
      lost: () => this.lost(link),
    });
    link.reception = new Reception((handlers) => this.settings.makeReceiver(iceServers, handlers), {
      send: (message) => current(() => this.sendMessage(message)),
      stream: (stream) => current(() => this.handlers.stream(stream)),
      answered: () => current(() => this.handlers.receiving()),
      connected: () => {
        link.receives = true;
        this.settle(link);
      },
      interrupted: () => current(() => this.interrupted(link)),
      failed: () => this.lost(link),
    });
    void link.reception.open();
  }

  /** Both connections stand, or one is still awaited. */
  private settle(link: Link): void {
    if (link !== this.link || !link.sends || !link.receives) return;
    clearTimeout(link.watchdog);
    link.connectedAt ??= Date.now();
    this.setState("connected");
  }

  /** The receiving connection broke and is made again, while the sending one goes on. */
  private interrupted(link: Link): void {
    link.receives = false;
    if (this.state !== "connected") return;
    link.watchdog = setTimeout(() => this.lost(link), CONNECT_MS);
    this.setState("reconnecting");
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
    // A refused handshake and an unreachable server look the same from here; the REST API distinguishes them.
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
    link.sender?.close();
    link.reception?.close();
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
