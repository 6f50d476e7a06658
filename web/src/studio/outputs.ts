/** Where the room is sent and recorded: adding, watching, starting, stopping and removing outputs. */

import type { Api, NewOutput, Output } from "../api";
import { element, make, say } from "../dom";
import { errorText } from "../problem";
import type { Loudness, RoomEvent, RoomState } from "../protocol";
import { tool } from "./bar";
import { Recordings } from "./recordings";
import { megabytes, sinceWords } from "./words";

export interface OutputHandlers {
  room(): string;
  tell(text: string): void;
  trouble(text: string): void;
}

/** Platforms' wishes, as the server names them. */
const PRESETS = [
  ["", "As the canvas is"],
  ["twitch-1080p", "Twitch 1080p"],
  ["twitch-720p", "Twitch 720p"],
  ["youtube-1080p", "YouTube 1080p"],
  ["youtube-720p", "YouTube 720p"],
  ["facebook-720p", "Facebook 720p"],
  ["archive", "Archive"],
] as const;

export class OutputsPanel {
  private readonly panel = element("outputs", HTMLDetailsElement);
  private readonly count = element("outputs-count", HTMLSpanElement);
  private readonly loudness = element("loudness", HTMLSpanElement);
  private readonly list = make("ul", { class: "outputs", "data-testid": "outputs" });
  private readonly note = make("p", { class: "error", role: "alert", hidden: true, "data-testid": "output-error" });
  private readonly preset = make("select", { "aria-label": "What platform the picture is for", "data-testid": "output-preset" }, ...PRESETS.map(([value, words]) => make("option", { value }, words)));
  private readonly recordings: Recordings;
  private outputs: readonly Output[] = [];

  constructor(
    private readonly api: Api,
    private readonly handlers: OutputHandlers,
  ) {
    this.recordings = new Recordings(api, handlers);
    const url = make("input", { type: "url", placeholder: "rtmp://host/app/key or srt://host:port", "aria-label": "RTMP or SRT address with its key", "data-testid": "output-url", autocomplete: "off", spellcheck: "false" });
    const add = make("button", { class: "quiet", type: "submit", "data-testid": "output-add" }, "Add");
    const form = make("form", { class: "drawer-row", novalidate: true }, url, add);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send(url, add);
    });
    const record = make("button", { class: "quiet", type: "button", "data-testid": "output-record" }, "Record");
    record.addEventListener("click", () => void this.add({ type: "file" }, record));
    this.panel.append(make("div", { class: "inside" }, form, make("div", { class: "drawer-row" }, this.preset, record), this.note, this.list, this.recordings.block));
    this.panel.addEventListener("toggle", () => {
      if (this.panel.open) void this.recordings.refresh();
    });
  }

  /** The room's state was told. */
  room({ outputs, loudness }: RoomState): void {
    this.outputs = outputs ?? [];
    if (loudness) this.hear(loudness);
    this.render();
  }

  event(event: RoomEvent): void {
    if (event.type === "loudness") return this.hear(event.loudness);
    if (event.type === "output_changed") {
      const { output } = event;
      const before = this.outputs.find(({ id }) => id === output.id);
      this.outputs = before ? this.outputs.map((each) => (each.id === output.id ? output : each)) : [...this.outputs, output];
      if (before?.state !== output.state) {
        this.handlers.tell(`The output to ${shown(output)} is ${output.state}`);
        if (output.type === "file" && this.panel.open) void this.recordings.refresh();
      }
    } else if (event.type === "output_removed") this.outputs = this.outputs.filter(({ id }) => id !== event.id);
    else return;
    this.render();
  }

  private hear(loudness: Loudness): void {
    this.loudness.textContent = loudnessText(loudness);
    this.loudness.title = loudnessWords(loudness);
  }

  private async send(url: HTMLInputElement, button: HTMLButtonElement): Promise<void> {
    const address = url.value.trim();
    const type = /^srt:/i.test(address) ? "srt" : "rtmp";
    if (await this.add({ type, url: address }, button)) url.value = "";
    else url.focus();
  }

  /** Resolves to whether it was added. */
  private async add(output: NewOutput, button: HTMLButtonElement): Promise<boolean> {
    button.disabled = true;
    try {
      const preset = this.preset.value;
      await this.api.addOutput(this.handlers.room(), preset === "" ? output : { ...output, preset });
      say(this.note, null);
      return true;
    } catch (error) {
      say(this.note, errorText(error));
      return false;
    } finally {
      button.disabled = false;
    }
  }

  private render(): void {
    const live = this.outputs.filter(({ state }) => state === "live").length;
    this.count.textContent = live > 0 ? `${live} on air` : String(this.outputs.length);
    this.count.classList.toggle("on-air", live > 0);
    this.list.replaceChildren(...this.outputs.map((output) => this.row(output)));
  }

  private row(output: Output): HTMLLIElement {
    const runs = output.enabled && output.state !== "failed";
    const change = tool(runs ? "stop" : "start", `${runs ? "Stop" : "Start"} the output to ${shown(output)}`, runs ? "output-stop" : "output-start");
    change.addEventListener("click", () => void this.enable(output, !runs));
    const remove = tool("remove", `Remove the output to ${shown(output)}`, "output-remove");
    remove.addEventListener("click", () => void this.remove(output));
    const dot = make("span", { class: "state-dot", "aria-hidden": "true", "data-state": output.state });
    const state = make("span", { class: "output-state", "data-testid": "output-state" }, stateWords(output));
    const tools = make("span", { class: "output-tools" }, change, remove);
    return make("li", { class: "output", "data-id": output.id }, dot, make("span", { class: "output-url", title: shown(output) }, shown(output)), tools, state);
  }

  private async enable(output: Output, enabled: boolean): Promise<void> {
    try {
      await this.api.enableOutput(this.handlers.room(), output.id, enabled);
    } catch (error) {
      this.handlers.trouble(`The output was not ${enabled ? "started" : "stopped"}: ${errorText(error)}`);
    }
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

/** How loud the mix was over the last three seconds. */
export function loudnessText({ short_term: now }: Loudness): string {
  return now === null ? "silent" : `${now.toFixed(1)} LUFS`;
}

/** The same with all that is known. */
export function loudnessWords({ short_term: now, integrated, max_true_peak: peak }: Loudness): string {
  const words = [
    now === null ? "The mix is silent" : `The mix over three seconds: ${now.toFixed(1)} LUFS`,
    integrated === null ? "" : `since the beginning: ${integrated.toFixed(1)} LUFS`,
    peak === null ? "" : `highest true peak: ${peak.toFixed(1)} dB`,
  ];
  return words.filter(Boolean).join("; ");
}

/** What an output does, in words. */
export function stateWords(output: Output, now = Date.now()): string {
  const { state, attempt, last_error: error, bitrate, bytes, video, live_since: since } = output;
  if (state === "live") {
    const flow = bitrate === null ? [] : [`${bitrate} kbit/s`, megabytes(bytes)];
    const time = since === null ? [] : [sinceWords(now - Date.parse(since))];
    return ["live", ...time, `${video.width}x${video.height}`, ...flow].join(", ");
  }
  const tries = state === "retrying" && attempt !== null ? `retrying, attempt ${attempt}` : state;
  return error ? `${tries}: ${error}` : tries;
}

/** Where an output goes, as far as this page may see. */
function shown(output: Output): string {
  return output.url ?? "an address that is not shown";
}
