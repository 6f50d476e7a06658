/** The selects for camera and microphone, the preview and the level meter. The block moves between join form and room. */

import { NONE, type Devices, type Kind, type Quality } from "./devices";
import { element, say } from "./dom";
import { LevelMeter } from "./level";
import { recall, remember } from "./options";

const EMPTY = { camera: "No camera", microphone: "No microphone" };

export class Pickers {
  readonly block = element("devices", HTMLDivElement);
  private readonly selects: Record<Kind, HTMLSelectElement> = {
    camera: element("camera-select", HTMLSelectElement),
    microphone: element("microphone-select", HTMLSelectElement),
  };
  private readonly quality = element("quality-select", HTMLSelectElement);
  private readonly preview = element("preview-video", HTMLVideoElement);
  private readonly empty = element("preview-empty", HTMLParagraphElement);
  private readonly note = element("device-note", HTMLParagraphElement);
  private readonly meter = element("level", HTMLDivElement);
  private readonly fill = element("level-fill", HTMLDivElement);
  private readonly levels = new LevelMeter((level) => this.showLevel(level));
  private busy = true;

  constructor(private readonly devices: Devices) {
    devices.choice.camera = recall("camera");
    devices.choice.microphone = recall("microphone");
    if (recall("quality") === "720p") devices.choice.quality = "720p";
    this.quality.value = devices.choice.quality;
    for (const kind of ["camera", "microphone"] as const) {
      const select = this.selects[kind];
      select.addEventListener("change", () => {
        remember(kind, select.value);
        void devices.choose(kind, select.value);
      });
    }
    this.quality.addEventListener("change", () => {
      remember("quality", this.quality.value);
      void devices.chooseQuality(this.quality.value as Quality);
    });
  }

  /** The first answer of the browser is there: from now on a missing device is a fact, not a wait. */
  ready(): void {
    this.busy = false;
    this.render();
  }

  render(): void {
    const { devices } = this;
    this.fillSelect("camera");
    this.fillSelect("microphone");
    this.quality.disabled = this.selects.camera.disabled;
    const camera = devices.camera;
    const shown = this.preview.srcObject instanceof MediaStream ? this.preview.srcObject.getVideoTracks()[0] : undefined;
    if (camera !== (shown ?? null)) this.preview.srcObject = camera ? new MediaStream([camera]) : null;
    this.empty.hidden = camera !== null;
    this.empty.textContent = this.busy ? "Waiting for the camera" : camera ? "" : "No camera picture";
    this.levels.measure(devices.microphone);
    say(this.note, this.busy ? null : this.words());
  }

  private words(): string | null {
    const { devices } = this;
    if (devices.unavailable) return devices.unavailable;
    const notes = [devices.notes.camera, devices.notes.microphone].filter((note) => note !== null);
    if (!devices.camera && !devices.microphone) {
      notes.push("You join as a listener: you see and hear everyone, nobody sees or hears you.");
    }
    return notes.join(" ") || null;
  }

  private fillSelect(kind: Kind): void {
    const { devices } = this;
    const select = this.selects[kind];
    const found = devices.lists[kind];
    const options = found
      .filter((device) => device.deviceId)
      .map((device, index) => new Option(device.label || `${kind === "camera" ? "Camera" : "Microphone"} ${index + 1}`,
        device.deviceId));
    // Before the permission is given, browsers hide which devices there are.
    if (found.length > 0 && options.length === 0) options.push(new Option("Default", ""));
    options.push(new Option(EMPTY[kind], NONE));
    select.disabled = found.length === 0;
    const active = (kind === "camera" ? devices.camera : devices.microphone)?.getSettings().deviceId;
    const value = found.length === 0 ? NONE : devices.choice[kind] || active || "";
    if (select.options.length !== options.length || options.some((option, at) => option.text !== select.options[at]?.text)) {
      select.replaceChildren(...options);
    }
    select.value = options.some((option) => option.value === value) ? value : (options[0]?.value ?? NONE);
  }

  private showLevel(level: number): void {
    this.fill.style.clipPath = `inset(0 ${(100 - level * 100).toFixed(1)}% 0 0)`;
    this.meter.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }
}
