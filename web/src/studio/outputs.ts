/** Where the room is sent: adding, watching and removing outputs. */

import type { Api, Output } from "../api";
import { element, make, say } from "../dom";
import { errorText } from "../problem";
import type { RoomEvent, RoomState } from "../protocol";
import { tool } from "./bar";

export interface OutputHandlers {
  room(): string;
  tell(text: string): void;
  trouble(text: string): void;
}

export class OutputsPanel {
  private readonly panel = element("outputs", HTMLDetailsElement);
  private readonly count = element("outputs-count", HTMLSpanElement);
  private readonly list = make("ul", { class: "outputs", "data-testid": "outputs" });
  private readonly note = make("p", { class: "error", role: "alert", hidden: true, "data-testid": "output-error" });
  private outputs: readonly Output[] = [];

  constructor(
    private readonly api: Api,
    private readonly handlers: OutputHandlers,
  ) {
    const url = make("input", { type: "url", placeholder: "rtmp://host/app/key", "aria-label": "RTMP address with its stream key", "data-testid": "output-url", autocomplete: "off", spellcheck: "false" });
    const add = make("button", { class: "quiet", type: "submit", "data-testid": "output-add" }, "Add");
    const form = make("form", { class: "drawer-row", novalidate: true }, url, add);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.add(url, add);
    });
    this.panel.append(make("div", { class: "inside" }, form, this.note, this.list));
  }

  /** The room's state was told. */
  room({ outputs }: RoomState): void {
    this.outputs = outputs ?? [];
    this.render();
  }

  event(event: RoomEvent): void {
    if (event.type === "output_changed") {
      const { output } = event;
      const before = this.outputs.find(({ id }) => id === output.id);
      this.outputs = before ? this.outputs.map((each) => (each.id === output.id ? output : each)) : [...this.outputs, output];
      if (before?.state !== output.state) this.handlers.tell(`The output to ${shown(output)} is ${output.state}`);
    } else if (event.type === "output_removed") this.outputs = this.outputs.filter(({ id }) => id !== event.id);
    else return;
    this.render();
  }

  private async add(url: HTMLInputElement, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      await this.api.addOutput(this.handlers.room(), url.value.trim());
      url.value = "";
      say(this.note, null);
    } catch (error) {
      say(this.note, errorText(error));
      url.focus();
    } finally {
      button.disabled = false;
    }
  }

  private render(): void {
    const live = this.outputs.filter(({ state }) => state === "live").length;
    this.count.textContent = live > 0 ? `${live} live` : String(this.outputs.length);
    this.list.replaceChildren(
      ...this.outputs.map((output) => {
        const remove = tool("remove", `Remove the output to ${shown(output)}`, "output-remove");
        remove.addEventListener("click", () => void this.remove(output));
        const dot = make("span", { class: "state-dot", "aria-hidden": "true", "data-state": output.state });
        const state = make("span", { class: "output-state", "data-testid": "output-state" }, stateWords(output));
        return make("li", { class: "output", "data-id": output.id }, dot, make("span", { class: "output-url", title: shown(output) }, shown(output)), remove, state);
      }),
    );
  }

  private async remove({ id, url }: Output): Promise<void> {
    try {
      await this.api.removeOutput(this.handlers.room(), id);
      this.handlers.tell(`The output to ${url} is removed`);
    } catch (error) {
      this.handlers.trouble(`The output was not removed: ${errorText(error)}`);
    }
  }
}

/** What an output does, in words. */
export function stateWords({ state, attempt, last_error: error }: Output): string {
  const tries = state === "retrying" && attempt !== null ? `retrying, attempt ${attempt}` : state;
  return error && state !== "live" ? `${tries}: ${error}` : tries;
}

/** Where an output goes, as far as this page may see. */
function shown(output: Output): string {
  return output.url ?? "an address that is not shown";
}
