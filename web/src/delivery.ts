/** Which rendition of the mix arrives: a badge on the stage, and the menu to fix another. */

import { element, make, say } from "./dom";
import { icon } from "./icons";
import { AUTO, loadRendition, saveRendition } from "./options";
import type { Delivery } from "./protocol";

/** Where the server's word alone would not say enough beside a size. */
const WORDS: Record<string, string> = {
  start: "starting",
  recovered: "recovering",
  loss: "packets lost",
  hidden: "tab hidden",
  fixed: "chosen",
};

/** Returns what the badge says: nothing while all is as good as it gets. */
export function badgeText(delivery: Delivery | null): string | null {
  if (!delivery) return null;
  const { rendition, reason, renditions } = delivery;
  const whole = rendition !== null && rendition === renditions[0];
  if (whole && (reason === "start" || reason === "recovered")) return null;
  return `${rendition ?? "Sound only"}, ${WORDS[reason] ?? reason}`;
}

/** Returns the menu's choices, the one that holds included although the room does not have it. */
export function choices(renditions: string[], wish: string): string[] {
  return [AUTO, ...renditions, ...(wish === AUTO || renditions.includes(wish) ? [] : [wish])];
}

export class DeliveryPanel {
  /** The newest message of this stay. */
  now: Delivery | null = null;
  /** The user's wish: a rendition or `AUTO`. */
  wish = loadRendition();
  private readonly badge = element("delivery", HTMLParagraphElement);
  private readonly menu = element("rendition-select", HTMLSelectElement);
  private readonly text = element("rendition-text", HTMLSpanElement);

  constructor(private readonly changed: () => void) {
    this.text.before(icon("quality"));
    this.menu.addEventListener("change", () => this.choose(this.menu.value));
    this.render();
  }

  /** `null`: no longer in a room. */
  show(delivery: Delivery | null): void {
    this.now = delivery;
    say(this.badge, badgeText(delivery));
    // Fixed in a room with another canvas: this one does not have it.
    const known = delivery?.renditions ?? [];
    if (known.length > 0 && this.wish !== AUTO && !known.includes(this.wish)) this.choose(AUTO);
    else this.render();
  }

  private choose(wish: string): void {
    this.wish = wish;
    saveRendition(wish);
    this.render();
    this.changed();
  }

  private render(): void {
    const values = choices(this.now?.renditions ?? [], this.wish);
    const label = (value: string) => (value === AUTO ? "Auto" : value);
    if (values.join() !== [...this.menu.options].map(({ value }) => value).join()) {
      this.menu.replaceChildren(...values.map((value) => make("option", { value }, label(value))));
    }
    this.menu.value = this.wish;
    this.menu.disabled = this.now === null;
    this.text.textContent = label(this.wish);
  }
}
