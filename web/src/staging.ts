/** Where somebody stands on the way into the programme: the buttons beside them, and the words for them. */

import { make } from "./dom";
import type { Participant } from "./protocol";

/** The change of where somebody stands. */
export type Staged = { stage: "backstage" | "on_air" };

/** Returns whether somebody is neither seen nor heard in the programme. */
export function isOffAir(person: Participant): boolean {
  return person.stage === "backstage" || person.stage === "ready";
}

/** Returns where somebody off the air stands, in a word. */
export function stageWord(person: Participant): string {
  return person.stage === "ready" ? "ready" : isOffAir(person) ? "backstage" : "";
}

/** Returns what somebody off the air has to know, in words to themselves. */
export function stageWords(self: Participant | undefined): string | null {
  if (!self || !isOffAir(self)) return null;
  return `You are ${self.stage === "ready" ? "ready" : "backstage"}: you are not in the programme until you are put on air.`;
}

/** Returns the button that puts somebody on air, for those who direct. */
export function onAirButton({ id, name }: Participant, change: (id: string, change: Staged) => void): HTMLElement {
  const words = { type: "button", class: "quiet person-stage", "data-testid": "person-on-air", "aria-label": `Put ${name} on air` };
  const button = make("button", words, "Put on air");
  button.addEventListener("click", () => change(id, { stage: "on_air" }));
  return button;
}

/** Returns the button by which somebody off the air says that they are ready, or not any more. */
export function readyButton({ stage }: Participant, say: (ready: boolean) => void): HTMLElement {
  const ready = stage === "ready";
  const words = { type: "button", class: "quiet person-stage", "data-testid": "ready", "aria-pressed": String(ready) };
  const button = make("button", words, "I am ready");
  button.addEventListener("click", () => say(!ready));
  return button;
}
