/** A button that opens a list of things to do, for pointer and keyboard. */

import { make } from "../dom";
import { icon, type IconName } from "../icons";

export interface MenuItem {
  /** The words of the item; a heading when there is nothing to `run`. */
  text: string;
  icon?: IconName;
  run?: () => void;
}

/** Between the button and the list, and from the window's edge. CSS pixels. */
const GAP = 6;

export class Menu {
  readonly button: HTMLButtonElement;
  private readonly list: HTMLDivElement;
  readonly block: HTMLDivElement;

  /** `items` is asked each time that the menu opens. `small`: the button shows its icon only. */
  constructor(
    name: IconName,
    text: string,
    testid: string,
    private readonly items: () => MenuItem[],
    small = false,
  ) {
    const words = make("span", { class: small ? "hidden-text" : "" }, text);
    const look = { class: small ? "quiet icon-only" : "quiet with-icon", title: small ? text : null };
    this.button = make("button", { ...look, type: "button", "data-testid": testid, "aria-haspopup": "menu", "aria-expanded": "false" }, icon(name), words);
    this.list = make("div", { class: "menu", role: "menu", "aria-label": text, hidden: true });
    this.block = make("div", { class: "menu-block" }, this.button, this.list);
    this.button.addEventListener("click", () => (this.open ? this.close() : this.show()));
    this.button.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown") return;
      event.preventDefault();
      this.show();
    });
    this.list.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerdown", ({ target }) => {
      if (this.open && !this.block.contains(target as Node)) this.close();
    });
    document.addEventListener("scroll", ({ target }) => {
      // Only a scroll that moves the button away from under its list counts.
      if (this.open && target !== this.list && (target as Node).contains(this.button)) this.close();
    }, { capture: true, passive: true });
    this.block.addEventListener("focusout", ({ relatedTarget }) => {
      if (this.open && relatedTarget instanceof Node && !this.block.contains(relatedTarget)) this.close();
    });
  }

  private get open(): boolean {
    return !this.list.hidden;
  }

  private show(): void {
    this.list.replaceChildren(
      ...this.items().map(({ text, icon: name, run }) => {
        if (!run) return make("div", { class: "menu-title", role: "presentation" }, text);
        const item = make("button", { class: "menu-item", role: "menuitem", type: "button", tabindex: -1, "data-text": text }, ...(name ? [icon(name)] : []), make("span", {}, text));
        item.addEventListener("click", () => {
          this.close();
          run();
        });
        return item;
      }),
    );
    this.list.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.place();
    this.choices[0]?.focus();
  }

  /** Below the button where there is room, else above it; never beyond the window. */
  private place(): void {
    const { clientWidth, clientHeight } = document.documentElement;
    const button = this.button.getBoundingClientRect();
    const { width, height } = this.list.getBoundingClientRect();
    const below = button.bottom + GAP;
    const fits = below + height <= clientHeight - GAP || button.top < height + GAP;
    const { style } = this.list;
    style.left = `${Math.max(GAP, Math.min(button.left, clientWidth - width - GAP))}px`;
    style.top = `${fits ? below : button.top - GAP - height}px`;
  }

  private close(): void {
    const inside = this.list.contains(document.activeElement);
    this.list.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
    if (inside) this.button.focus();
  }

  private get choices(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("[role=menuitem]")];
  }

  private key(event: KeyboardEvent): void {
    const { choices } = this;
    const at = choices.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: choices.length - 1 }[event.key];
    if (event.key === "Escape") this.close();
    else if (to === undefined) return;
    else choices[(to + choices.length) % choices.length]?.focus();
    event.preventDefault();
    event.stopPropagation();
  }
}
