/** The room's recordings: files to fetch and to delete. */

import type { StudioApi, Recording } from "./api";
import { make } from "../dom";
import { errorText } from "../problem";
import { tool } from "./bar";
import type { OutputHandlers } from "./outputs";
import { megabytes, sinceWords } from "./words";

/** Returns how long and how large it is, and its markers. */
export function recordingWords({ seconds, bytes, growing, markers }: Recording): string {
  const length = typeof seconds !== "number" ? [] : [sinceWords(seconds * 1000)];
  const moments = markers.map(({ name, at_seconds: at }) => `${sinceWords(at * 1000)} ${name}`);
  return [...length, megabytes(bytes), ...(growing ? ["being written"] : []), ...moments].join(", ");
}

export class Recordings {
  private readonly list = make("ul", { class: "outputs", "data-testid": "recordings", "aria-label": "Recordings" });
  readonly block = make("div", { class: "recordings", hidden: true }, make("h3", {}, "Recordings"), this.list);

  constructor(
    private readonly api: StudioApi,
    private readonly handlers: OutputHandlers,
  ) {}

  async refresh(): Promise<void> {
    try {
      const found = await this.api.recordings(this.handlers.room());
      this.block.hidden = found.length === 0;
      this.list.replaceChildren(...found.map((recording) => this.row(recording)));
    } catch (error) {
      this.handlers.trouble(`The recordings were not listed: ${errorText(error)}`);
    }
  }

  private row(recording: Recording): HTMLLIElement {
    const { name, growing } = recording;
    const fetch = tool("download", `Fetch ${name}`, "recording-fetch");
    fetch.addEventListener("click", () => void this.fetch(name, fetch));
    const remove = tool("remove", `Delete ${name}`, "recording-remove");
    remove.disabled = growing;
    remove.addEventListener("click", () => void this.remove(name));
    const about = make("span", { class: "output-state", "data-testid": "recording-about" }, recordingWords(recording));
    const dot = make("span", { class: "state-dot", "aria-hidden": "true", "data-state": growing ? "live" : "stopped" });
    return make("li", { class: "output" }, dot, make("span", { class: "output-url", title: name }, name), make("span", { class: "output-tools" }, fetch, remove), about);
  }

  /** The key goes in a header, so the file is fetched here and handed to the browser. */
  private async fetch(name: string, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      const address = URL.createObjectURL(await this.api.recording(this.handlers.room(), name));
      make("a", { href: address, download: name }).click();
      URL.revokeObjectURL(address);
    } catch (error) {
      this.handlers.trouble(`${name} was not fetched: ${errorText(error)}`);
    } finally {
      button.disabled = false;
    }
  }

  private async remove(name: string): Promise<void> {
    try {
      await this.api.removeRecording(this.handlers.room(), name);
      this.handlers.tell(`${name} is deleted`);
    } catch (error) {
      this.handlers.trouble(`${name} was not deleted: ${errorText(error)}`);
    }
    await this.refresh();
  }
}
