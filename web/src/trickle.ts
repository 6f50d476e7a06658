/** Holds a connection's candidates until its description is sent: without that the server has nothing to add them to. */

import type { ClientMessage } from "./protocol";

export class Trickle {
  private held: ClientMessage[] | null = [];

  /** `connection`: the one that candidates are marked with; unmarked they belong to the sending one. */
  constructor(
    private readonly send: (message: ClientMessage) => void,
    private readonly connection?: "receive",
  ) {}

  candidate(candidate: string | null, mline: number): void {
    const message: ClientMessage = {
      type: "candidate",
      candidate,
      mline,
      ...(this.connection ? { connection: this.connection } : {}),
    };
    if (this.held) this.held.push(message);
    else this.send(message);
  }

  /** Sends the description, then what was held. */
  begin(description: ClientMessage): void {
    this.send(description);
    this.held?.forEach((message) => this.send(message));
    this.held = null;
  }
}
