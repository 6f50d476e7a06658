/** The form in which a newcomer says who they are and where they go. */

import { element, say } from "./dom";
import { recall, remember, ROOM_NAME, type Options } from "./options";

export class JoinForm {
  readonly view = element("join-view", HTMLElement);
  private readonly form = element("join-form", HTMLFormElement);
  private readonly name = element("name-input", HTMLInputElement);
  private readonly room = element("room-input", HTMLInputElement);
  private readonly error = element("join-error", HTMLParagraphElement);

  constructor(options: Options, private readonly joined: (name: string, room: string) => void) {
    this.name.value = options.name ?? recall("name");
    this.room.value = options.room ?? (recall("room") || "studio");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    for (const input of [this.name, this.room]) input.addEventListener("input", () => this.complain(null, null));
  }

  /** Joins with what the form holds, if it is complete. Someone without a name becomes a guest when `unattended`. */
  submit(unattended = false): void {
    const name = this.name.value.trim() || (unattended ? "guest" : "");
    const room = this.room.value.trim();
    if (!name) return this.complain(this.name, "Say what the others shall call you.");
    if (!ROOM_NAME.test(room)) {
      return this.complain(this.room, "A room's name has 1 to 64 letters, digits, hyphens or underscores, no spaces.");
    }
    remember("name", name);
    remember("room", room);
    this.joined(name, room);
  }

  fill(name: string, room: string): void {
    this.name.value = name;
    this.room.value = room;
  }

  focus(): void {
    (this.name.value ? element("join", HTMLButtonElement) : this.name).focus({ preventScroll: true });
  }

  private complain(input: HTMLInputElement | null, text: string | null): void {
    say(this.error, text);
    for (const each of [this.name, this.room]) each.setAttribute("aria-invalid", String(each === input));
    input?.focus();
  }
}
