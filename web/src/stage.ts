/** The mixed picture with its sound, and the buttons under it. */

import { element, say } from "./dom";
import { icon, type IconName } from "./icons";
import type { PhoneVideo } from "./player";
import type { ConnectionState } from "./session";

export interface StageHandlers {
  mute(): void;
  camera(): void;
  leave(): void;
  /** Resolves when the picture is saved; rejects with an error whose message can be shown. */
  snapshot(): Promise<void>;
  trouble(text: string): void;
  /** A stream shows its first picture. */
  pictured(): void;
}

export interface Switches {
  microphone: { has: boolean; on: boolean };
  camera: { has: boolean; on: boolean };
}

export class Stage {
  private readonly frame = element("stage", HTMLDivElement);
  private readonly mix = element("mix", HTMLVideoElement) as PhoneVideo;
  private readonly cover = element("stage-cover", HTMLParagraphElement);
  private readonly coverText = element("stage-cover-text", HTMLSpanElement);
  private readonly sound = element("sound", HTMLButtonElement);
  private readonly lost = element("stage-lost", HTMLParagraphElement);
  private readonly readout = element("readout", HTMLParagraphElement);
  private readonly buttons = {
    mute: element("mute", HTMLButtonElement),
    camera: element("camera", HTMLButtonElement),
    snapshot: element("snapshot", HTMLButtonElement),
    fullscreen: element("fullscreen", HTMLButtonElement),
    leave: element("leave", HTMLButtonElement),
  };
  private state: ConnectionState = "idle";
  private pictured = false;

  constructor(private readonly handlers: StageHandlers) {
    const { mute, camera, snapshot, fullscreen, leave } = this.buttons;
    label(element("edit", HTMLButtonElement), "edit", "Edit");
    label(snapshot, "snapshot", "Snapshot");
    label(fullscreen, "fullscreen", "Full screen");
    label(leave, "leave", "Leave");
    mute.addEventListener("click", () => handlers.mute());
    camera.addEventListener("click", () => handlers.camera());
    leave.addEventListener("click", () => handlers.leave());
    snapshot.addEventListener("click", () => void this.takeSnapshot());
    fullscreen.addEventListener("click", () => void this.toggleFullscreen());
    this.sound.addEventListener("click", () => void this.unlockSound());
    for (const event of ["playing", "resize", "loadeddata"]) {
      this.mix.addEventListener(event, () => {
        const first = !this.pictured && this.mix.videoWidth > 0;
        this.pictured = this.mix.videoWidth > 0;
        this.renderCover();
        if (first) handlers.pictured();
      });
    }
    document.addEventListener("fullscreenchange", () => {
      const on = document.fullscreenElement === this.frame;
      label(fullscreen, "fullscreen", on ? "Exit full screen" : "Full screen");
    });
    document.addEventListener("keydown", (event) => this.shortcut(event));
  }

  /** Plays the room's picture and sound. */
  async play(stream: MediaStream): Promise<void> {
    this.pictured = false;
    this.mix.srcObject = stream;
    this.mix.muted = false;
    this.sound.hidden = true;
    this.renderCover();
    try {
      await this.mix.play();
    } catch (error) {
      // A newer stream took this one's place: its own play() reports.
      if (this.mix.srcObject !== stream || (error instanceof Error && error.name === "AbortError")) return;
      // Browsers refuse sound before the first gesture, but not a silent picture.
      this.mix.muted = true;
      this.sound.hidden = false;
      await this.mix.play().catch(() => undefined);
    }
  }

  clear(): void {
    this.mix.srcObject = null;
    this.pictured = false;
    this.sound.hidden = true;
    this.tell("");
    this.warn(null);
    if (document.fullscreenElement) void document.exitFullscreen();
  }

  connection(state: ConnectionState): void {
    this.state = state;
    this.renderCover();
  }

  tell(readout: string): void {
    this.readout.textContent = readout;
  }

  /** Says over the picture why the person at this page is not seen; `null`: they are. */
  warn(lost: string | null): void {
    say(this.lost, lost);
  }

  switches({ microphone, camera }: Switches): void {
    const { mute, camera: video } = this.buttons;
    mute.disabled = !microphone.has;
    video.disabled = !camera.has;
    const silent = !microphone.has || !microphone.on;
    const dark = !camera.has || !camera.on;
    const mic = !microphone.has ? "No mic" : silent ? "Unmute" : "Mute";
    const cam = !camera.has ? "No camera" : dark ? "Camera on" : "Camera off";
    label(mute, silent ? "microphoneOff" : "microphone", mic);
    label(video, dark ? "cameraOff" : "camera", cam);
    mute.dataset.off = String(microphone.has && silent);
    video.dataset.off = String(camera.has && dark);
  }

  private renderCover(): void {
    const text =
      this.state === "reconnecting"
        ? "Connection lost, reconnecting"
        : this.state === "connecting"
          ? "Connecting"
          : this.pictured
            ? null
            : "Waiting for the picture";
    say(this.coverText, text);
    this.cover.hidden = text === null;
    this.cover.dataset.over = String(this.pictured);
  }

  private async unlockSound(): Promise<void> {
    this.mix.muted = false;
    try {
      await this.mix.play();
      this.sound.hidden = true;
      this.buttons.mute.focus();
    } catch {
      this.mix.muted = true;
      await this.mix.play().catch(() => undefined);
    }
  }

  private async takeSnapshot(): Promise<void> {
    const button = this.buttons.snapshot;
    button.disabled = true;
    try {
      await this.handlers.snapshot();
    } catch (error) {
      this.handlers.trouble(`No snapshot: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      button.disabled = false;
    }
  }

  private async toggleFullscreen(): Promise<void> {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else if (this.frame.requestFullscreen) await this.frame.requestFullscreen();
      else this.mix.webkitEnterFullscreen?.();
    } catch {
      this.handlers.trouble("This browser does not allow full screen here.");
    }
  }

  private shortcut(event: KeyboardEvent): void {
    const target = event.target as HTMLElement | null;
    const typing = target?.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(target?.tagName ?? "");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat || this.frame.closest("[hidden]")) return;
    const button = { m: this.buttons.mute, v: this.buttons.camera, f: this.buttons.fullscreen }[event.key.toLowerCase()];
    if (!button) return;
    event.preventDefault();
    button.click();
  }
}

function label(button: HTMLButtonElement, name: IconName, text: string): void {
  if (button.dataset.label === text) return;
  button.dataset.label = text;
  const span = document.createElement("span");
  span.textContent = text;
  button.replaceChildren(icon(name), span);
  const key = button.getAttribute("aria-keyshortcuts");
  button.title = key ? `${text} (${key.toUpperCase()})` : text;
}
