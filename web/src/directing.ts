/** Brings the tools of those who direct to the page once the server says that this person does: guests do not load them. */

import type { Client } from "./client";
import type { Mixed } from "./mixing";
import type { Participant, RoomEvent, RoomState } from "./protocol";
import type { Staged } from "./staging";
import type { Desk, DeskHandlers } from "./studio/desk";

/** The longest that the tools wait for the first picture. On a narrow line they would delay it by seconds. */
const PICTURE_MS = 5_000;

export class Directing {
  private desk: Desk | null = null;
  private loading: Promise<Desk> | null = null;
  /** Ends the wait for the first picture. */
  pictured: () => void = () => undefined;
  private readonly picture = new Promise<void>((resolve) => {
    this.pictured = resolve;
  });
  /** Events that came while the tools were on their way. */
  private missed: ((desk: Desk) => void)[] = [];

  constructor(
    private readonly client: Client,
    private readonly view: HTMLElement,
    private readonly handlers: DeskHandlers,
  ) {
    this.view.dataset.directs = "false";
  }

  /** Another room, or a fresh start. */
  clear(): void {
    this.missed = [];
    this.desk?.clear();
    this.view.dataset.directs = "false";
  }

  /** The server let this person in, who directs the room or does not. */
  enter(state: RoomState, directs: boolean): void {
    this.missed = [];
    if (!directs) {
      this.view.dataset.directs = "false";
      this.desk?.close();
      return;
    }
    this.missed.push((desk) => desk.enter(state));
    void this.open();
  }

  event(event: RoomEvent, people: readonly Participant[]): void {
    this.later((desk) => desk.event(event, people));
  }

  moderate(id: string, change: Mixed | Staged): void {
    this.later((desk) => desk.moderate(id, change));
  }

  /** Does it with the tools, now or when they are here; not for those who have none. */
  private later(act: (desk: Desk) => void): void {
    if (this.view.dataset.directs === "true" && this.desk) act(this.desk);
    else if (this.missed.length > 0) this.missed.push(act);
  }

  private async open(): Promise<void> {
    try {
      this.loading ??= this.load();
      this.desk = await this.loading;
    } catch (error) {
      console.warn("The tools of those who direct could not be loaded:", error);
      this.loading = null;
      this.handlers.trouble("The tools to direct the room could not be loaded. Reload the page.");
      return;
    }
    const { desk, missed } = this;
    if (missed.length === 0) return;
    this.missed = [];
    this.view.dataset.directs = "true";
    for (const act of missed) act(desk);
  }

  private async load(): Promise<Desk> {
    await Promise.race([this.picture, new Promise((resolve) => setTimeout(resolve, PICTURE_MS))]);
    const { Desk } = await import("./studio/desk");
    return new Desk(this.client, this.handlers);
  }
}
