/** Where the room is sent and recorded: adding, watching, starting, stopping and removing outputs. */

import type { StudioApi, NewOutput, Output, OutputType } from "./api";
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
const PRESETS: readonly (readonly [NonNullable<NewOutput["preset"]> | "", string])[] = [
  ["", "As the canvas is"],
  ["twitch-1080p", "Twitch 1080p"],
  ["twitch-720p", "Twitch 720p"],
  ["youtube-1080p", "YouTube 1080p"],
  ["youtube-720p", "YouTube 720p"],
  ["facebook-720p", "Facebook 720p"],
  ["archive", "Archive"],
];

export class OutputsPanel {
  private readonly panel = element("outputs", HTMLDetailsElement);
  private readonly count = element("outputs-count", HTMLSpanElement);
  private readonly loudness = element("loudness", HTMLSpanElement);
  private readonly list = make("ul", { class: "outputs", "data-testid": "outputs" });
  private readonly note = make("p", { class: "error", role: "alert", hidden: true, "data-testid": "output-error" });
  private readonly found = make("p", { role: "status", hidden: true, "data-testid": "output-found" });
  private readonly marker = make("input", { type: "text", maxlength: "100", placeholder: "Name of this moment", "aria-label": "Name of a marker in the recordings", "data-testid": "marker-name", autocomplete: "off" });
  private readonly marking = make("form", { class: "drawer-row", novalidate: true, hidden: true });
  private readonly preset = make("select", { "aria-label": "What platform the picture is for", "data-testid": "output-preset" }, ...PRESETS.map(([value, words]) => make("option", { value }, words)));
  private readonly picture = make("select", { "aria-label": "What the output shows", "data-testid": "output-picture", hidden: true });
  private readonly recordings: Recordings;
  private outputs: readonly Output[] = [];

  constructor(
    private readonly api: StudioApi,
    private readonly handlers: OutputHandlers,
  ) {
    this.recordings = new Recordings(api, handlers);
    const url = make("input", { type: "url", placeholder: "rtmp://host/app/key, srt://host:port or https://host/whip", "aria-label": "RTMP, SRT or WHIP address", "data-testid": "output-url", autocomplete: "off", spellcheck: "false" });
    const add = make("button", { class: "quiet", type: "submit", "data-testid": "output-add" }, "Add");
    const token = make("input", { type: "password", placeholder: "token, if it wants one", "aria-label": "Bearer token of the WHIP server", "data-testid": "output-token", autocomplete: "off", hidden: true });
    url.addEventListener("input", () => (token.hidden = kindOf(url.value) !== "whip"));
    const test = make("button", { class: "quiet", type: "button", "data-testid": "output-test" }, "Test");
    test.addEventListener("click", () => void this.test(url, token, test));
    const form = make("form", { class: "drawer-row", novalidate: true }, url, token, test, add);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send(url, token, add);
    });
    const record = make("button", { class: "quiet", type: "button", "data-testid": "output-record" }, "Record");
    record.addEventListener("click", () => void this.add({ type: "file" }, record));
    const serve = make("button", { class: "quiet", type: "button", title: "Serves the room to players by HLS", "data-testid": "output-hls" }, "HLS");
    serve.addEventListener("click", () => void this.add({ type: "hls" }, serve));
    const each = make("button", { class: "quiet", type: "button", "data-testid": "output-record-each", title: "Each participant as they send, a file each" }, "Record each");
    const cut = make("input", { type: "checkbox", "data-testid": "output-cutouts" });
    const cutting = make("label", { title: "Each participant cut out, too, as ProRes 4444: large files, and much work for the server" }, cut, " cut out, too");
    each.addEventListener("click", () => void this.add({ type: "iso", ...(cut.checked ? { cutouts: true } : {}) }, each));
    this.panel.append(make("div", { class: "inside" }, form, make("div", { class: "drawer-row" }, this.preset, this.picture, record, each, cutting, serve), this.note, this.found, this.list, this.marking, this.recordings.block));
    const mark = make("button", { class: "quiet", type: "submit", "data-testid": "marker-add" }, "Mark");
    this.marking.append(this.marker, mark);
    this.marking.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.mark(mark);
    });
    this.panel.addEventListener("toggle", () => {
      if (this.panel.open) void this.recordings.refresh();
    });
  }

  /** Takes the room's state. */
  room({ outputs, scenes, loudness }: RoomState): void {
    this.outputs = outputs ?? [];
    this.offer(scenes ?? []);
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
        if (traitsOf(output.type).records && this.panel.open) void this.recordings.refresh();
      }
    } else if (event.type === "scenes_changed") return this.offer(event.scenes);
    else if (event.type === "marker") {
      this.handlers.tell(`The recordings have the marker ${event.name}`);
      return;
    } else if (event.type === "recording_finished") {
      if (this.panel.open) void this.recordings.refresh();
      return;
    } else if (event.type === "output_removed") this.outputs = this.outputs.filter(({ id }) => id !== event.id);
    else return;
    this.render();
  }

  private hear(loudness: Loudness): void {
    this.loudness.textContent = loudnessText(loudness);
    this.loudness.title = loudnessWords(loudness);
  }

  private async send(url: HTMLInputElement, token: HTMLInputElement, button: HTMLButtonElement): Promise<void> {
    if (await this.add(target(url, token), button)) {
      url.value = token.value = "";
      token.hidden = true;
    } else url.focus();
  }

  private async test(url: HTMLInputElement, token: HTMLInputElement, button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    say(this.note, null);
    say(this.found, "It is being tried");
    try {
      const { ok, steps, step, detail } = await this.api.testOutput(this.handlers.room(), target(url, token));
      const taken = steps.map(({ name, milliseconds }) => `${name} ${milliseconds} ms`).join(", ");
      say(this.found, ok ? `It answers: ${taken}` : null);
      if (!ok) say(this.note, `It fails at ${step}: ${detail}`);
    } catch (error) {
      say(this.found, null);
      say(this.note, errorText(error));
    } finally {
      button.disabled = false;
    }
  }

  private async mark(button: HTMLButtonElement): Promise<void> {
    button.disabled = true;
    try {
      await this.api.mark(this.handlers.room(), this.marker.value.trim() || new Date().toLocaleTimeString());
      this.marker.value = "";
    } catch (error) {
      this.handlers.trouble(`The marker was not set: ${errorText(error)}`);
    } finally {
      button.disabled = false;
    }
  }

  /** Resolves to whether it was added. */
  private async add(output: NewOutput, button: HTMLButtonElement): Promise<boolean> {
    button.disabled = true;
    try {
      const scene = this.picture.value;
      const preset = PRESETS.find(([name]) => name === this.preset.value)?.[0] ?? "";
      const wishes = traitsOf(output.type).encodes ? { ...(preset === "" ? {} : { preset }), ...(scene === "" ? {} : { scene }) } : {};
      await this.api.addOutput(this.handlers.room(), { ...output, ...wishes });
      say(this.note, null);
      return true;
    } catch (error) {
      say(this.note, errorText(error));
      return false;
    } finally {
      button.disabled = false;
    }
  }

  /** Offers the program and the room's scenes. */
  private offer(scenes: readonly string[]): void {
    const before = this.picture.value;
    const scene = (name: string) => make("option", { value: name }, `Scene ${name}`);
    this.picture.replaceChildren(make("option", { value: "" }, "The program"), ...scenes.map(scene));
    this.picture.value = scenes.includes(before) ? before : "";
    this.picture.hidden = scenes.length === 0;
  }

  private render(): void {
    const live = this.outputs.filter(({ state }) => state === "live").length;
    this.marking.hidden = !this.outputs.some(({ type, state }) => traitsOf(type).pauses && (state === "live" || state === "paused"));
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
    const tools = make("span", { class: "output-tools" });
    if (traitsOf(output.type).pauses && runs) {
      const paused = output.state === "paused";
      const pause = make("button", { class: "quiet", type: "button", "data-testid": paused ? "output-resume" : "output-pause" }, paused ? "Resume" : "Pause");
      pause.addEventListener("click", () => void this.pause(output, !paused));
      tools.append(pause);
    }
    tools.append(change, remove);
    const dot = make("span", { class: "state-dot", "aria-hidden": "true", "data-state": output.state });
    const state = make("span", { class: "output-state", "data-testid": "output-state" }, stateWords(output));
    const link = traitsOf(output.type).plays && output.url ? playerLink(output.url) : null;
    if (link) tools.prepend(this.copier(link.href));
    const where = link ?? make("span", { class: "output-url", title: shown(output) }, shown(output));
    return make("li", { class: "output", "data-id": output.id }, dot, where, tools, state);
  }

  /** Returns a button that copies what players open. */
  private copier(link: string): HTMLButtonElement {
    const copy = tool("copy", "Copy the link for players", "output-copy");
    const told = () => this.handlers.tell(`The link for players: ${link}`);
    copy.addEventListener("click", () => {
      // Only a secure page may write to the clipboard.
      if (navigator.clipboard) navigator.clipboard.writeText(link).then(() => this.handlers.tell("The link for players is copied"), told);
      else told();
    });
    return copy;
  }

  private async enable(output: Output, enabled: boolean): Promise<void> {
    try {
      await this.api.enableOutput(this.handlers.room(), output.id, enabled);
    } catch (error) {
      this.handlers.trouble(`The output was not ${enabled ? "started" : "stopped"}: ${errorText(error)}`);
    }
  }

  private async pause(output: Output, paused: boolean): Promise<void> {
    try {
      await this.api.pauseOutput(this.handlers.room(), output.id, paused);
    } catch (error) {
      this.handlers.trouble(`The recording was not ${paused ? "paused" : "resumed"}: ${errorText(error)}`);
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

/** The traits by which the page treats kinds of outputs differently. */
interface Traits {
  /** It encodes the room's picture, and takes wishes for that. */
  encodes: boolean;
  /** Its files are among the recordings. */
  records: boolean;
  /** It is paused and resumed, and takes markers. */
  pauses: boolean;
  /** Its address is what players open. */
  plays: boolean;
}

/** Returns the traits of a kind. The compiler stops here when the server gets another kind. */
function traitsOf(type: OutputType): Traits {
  switch (type) {
    case "rtmp":
    case "srt":
    case "whip":
      return { encodes: true, records: false, pauses: false, plays: false };
    case "hls":
      return { encodes: true, records: false, pauses: false, plays: true };
    case "file":
      return { encodes: true, records: true, pauses: true, plays: false };
    case "iso":
      // The media that people send is kept as it comes.
      return { encodes: false, records: true, pauses: false, plays: false };
  }
}

/** Returns what an address is of. */
export function kindOf(address: string): OutputType {
  if (/^\s*https?:/i.test(address)) return "whip";
  return /^\s*srt:/i.test(address) ? "srt" : "rtmp";
}

/** Returns how loud the mix was over the last three seconds. */
export function loudnessText({ short_term: now }: Loudness): string {
  return typeof now !== "number" ? "silent" : `${now.toFixed(1)} LUFS`;
}

/** Returns the same with all that is known. */
export function loudnessWords({ short_term: now, integrated, max_true_peak: peak }: Loudness): string {
  const words = [
    typeof now !== "number" ? "The mix is silent" : `The mix over three seconds: ${now.toFixed(1)} LUFS`,
    typeof integrated !== "number" ? "" : `since the beginning: ${integrated.toFixed(1)} LUFS`,
    typeof peak !== "number" ? "" : `highest true peak: ${peak.toFixed(1)} dB`,
  ];
  return words.filter(Boolean).join("; ");
}

/** Returns what an output does, in words. */
export function stateWords(output: Output, now = Date.now()): string {
  const { state, attempt, last_error: error, bitrate, bytes, video, live_since: since, scene, cutouts } = output;
  if (state === "live") {
    const flow = typeof bitrate !== "number" ? [] : [`${bitrate} kbit/s`, megabytes(bytes)];
    const time = !since ? [] : [sinceWords(now - Date.parse(since))];
    const picture = [...(cutouts ? ["with cut-outs"] : []), ...(scene ? [`scene ${scene}`] : []), ...(video ? [`${video.width}x${video.height}`] : [])];
    return [output.behind ? "live, takes less than is sent" : "live", ...time, ...picture, ...flow].join(", ");
  }
  const tries = state === "retrying" && typeof attempt === "number" ? `retrying, attempt ${attempt}` : state;
  return error ? `${tries}: ${error}` : tries;
}

/** Returns what an address is the output of. */
function target(url: HTMLInputElement, token: HTMLInputElement): NewOutput {
  const address = url.value.trim();
  const type = kindOf(address);
  return { type, url: address, ...(type === "whip" && token.value !== "" ? { token: token.value } : {}) };
}

/** Returns what players of an HLS output open, to be clicked and copied. */
function playerLink(path: string): HTMLAnchorElement {
  const href = new URL(path.replace(/^\//, ""), document.baseURI).href;
  return make("a", { class: "output-url", href, target: "_blank", rel: "noopener", title: href, "data-testid": "output-link" }, href);
}

/** Returns where an output goes, as far as this page may see. */
function shown(output: Output): string {
  return output.url ?? "an address that is not shown";
}
