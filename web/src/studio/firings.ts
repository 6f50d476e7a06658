/** Which triggers of the layout fired last, for those who direct. */

import { element, make } from "../dom";
import type { Participant, RoomEvent } from "../protocol";

type Firing = Extract<RoomEvent, { type: "trigger_fired" }>;

/** Older ones are of no use: what fires, fires again. */
const KEPT = 20;

/** Returns what fired, who made it fire, and what its `event` actions say. */
export function firingWords({ trigger, participants, events }: Firing, people: readonly Pick<Participant, "id" | "name">[]): string {
  const names = participants.map((id) => people.find((person) => person.id === id)?.name ?? id);
  const by = names.length > 0 ? `, by ${names.join(" and ")}` : "";
  return `${trigger}${by}${events.length > 0 ? `: ${events.join(", ")}` : ""}`;
}

export class Firings {
  private readonly panel = element("firings", HTMLDetailsElement);
  private readonly count = element("firings-count", HTMLSpanElement);
  private readonly list = make("ol", { class: "firings", "data-testid": "firings", "aria-label": "Triggers that fired, the newest first" });
  private seen = 0;

  constructor() {
    this.panel.append(make("div", { class: "inside" }, this.list));
  }

  /** Lists a firing; returns it in words for those who cannot see the list. */
  add(firing: Firing, people: readonly Participant[]): string {
    const words = firingWords(firing, people);
    const now = new Date();
    const time = make("time", { datetime: now.toISOString(), class: "dim" }, now.toLocaleTimeString());
    this.list.prepend(make("li", { "data-trigger": firing.trigger }, time, " ", words));
    while (this.list.children.length > KEPT) this.list.lastElementChild?.remove();
    this.show(this.seen + 1);
    return `Trigger ${words}`;
  }

  /** Another room. */
  clear(): void {
    this.list.replaceChildren();
    this.show(0);
  }

  private show(seen: number): void {
    this.seen = seen;
    this.count.textContent = String(seen);
    this.panel.hidden = seen === 0;
  }
}
