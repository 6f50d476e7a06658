/** How loud and where somebody is in the mix, and taking them off the air: for those who direct, beside each person. */

import { make } from "./dom";
import type { Participant } from "./protocol";
import { isOffAir, type Staged } from "./staging";

/** The change of somebody in the mix. */
export type Mixed = { volume: number } | { pan: number };

/** A person's sliders. They stay the same element while others of the row come and go, so that they can be pulled. */
export class Mixing {
  private readonly volume = slider("volume", 0, 2);
  private readonly pan = slider("pan", -1, 1);
  private readonly off = make("button", { type: "button", class: "quiet", "data-testid": "person-off-air" }, "Take backstage");
  readonly block: HTMLDetailsElement;

  constructor(change: (change: Mixed | Staged) => void) {
    this.block = make(
      "details",
      { class: "person-mix" },
      make("summary", { "data-testid": "person-mix" }, "Sound"),
      make("label", {}, "Volume", this.volume),
      make("label", {}, "Left to right", this.pan),
      this.off,
    );
    this.off.addEventListener("click", () => change({ stage: "backstage" }));
    this.volume.addEventListener("input", () => change({ volume: this.volume.valueAsNumber }));
    this.pan.addEventListener("input", () => change({ pan: this.pan.valueAsNumber }));
    // Back to the middle, as on a mixing desk.
    this.pan.addEventListener("dblclick", () => {
      this.pan.value = "0";
      change({ pan: 0 });
    });
  }

  /** Shows what holds now; a slider that somebody has hold of stays where their hand is. */
  show(person: Participant): void {
    const { name, volume, pan } = person;
    this.off.hidden = isOffAir(person);
    this.off.setAttribute("aria-label", `Take ${name} backstage`);
    const words = [`${Math.round(volume * 100)} %`, panWords(pan)];
    [this.volume, this.pan].forEach((slider, at) => {
      slider.setAttribute("aria-label", `${at === 0 ? "Volume" : "Place"} of ${name} in the mix`);
      slider.setAttribute("aria-valuetext", words[at] ?? "");
      slider.title = words[at] ?? "";
      if (!slider.matches(":active")) slider.value = String(at === 0 ? volume : pan);
    });
  }
}

function slider(name: string, min: number, max: number): HTMLInputElement {
  return make("input", { type: "range", min, max, step: 0.05, "data-testid": `person-${name}` });
}

/** Returns where somebody is heard, in words. */
export function panWords(pan: number): string {
  const share = Math.round(Math.abs(pan) * 100);
  return share === 0 ? "in the middle" : `${share} % ${pan < 0 ? "left" : "right"}`;
}
