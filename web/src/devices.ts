/** The user's camera and microphone: choosing, opening, switching off and on, and saying what is wrong with them. */

import type { LocalTracks } from "./sender";

export type Kind = "camera" | "microphone";
export type Quality = "360p" | "720p";
/** A choice: a device's id, "" for the browser's default, or `NONE`. */
export const NONE = "none";

export interface DeviceLists {
  camera: MediaDeviceInfo[];
  microphone: MediaDeviceInfo[];
}

/** 360p is what a person's layer is shown at in a 720p canvas; 720p is for someone shown large. */
const PICTURES = {
  "360p": { width: 640, height: 360, bitrate: 1_200_000 },
  "720p": { width: 1280, height: 720, bitrate: 2_500_000 },
};

/** Returns why this page can have no camera at all, or `null` when it can. */
export function unavailable(secure: boolean, mediaDevices: unknown): string | null {
  if (mediaDevices) return null;
  return secure
    ? "This browser offers no camera or microphone. You can still join and listen."
    : "Browsers give a camera and microphone only to a secure page. Open this page with https://, or on the server's " +
        "own machine as http://localhost. You can still join and listen.";
}

/** Returns an error of getUserMedia in plain words. */
export function explain(kind: Kind, error: unknown): string {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return `The browser does not let this page use the ${kind}. Allow it beside the address, then choose it again.`;
    case "NotFoundError":
      return `No ${kind} found.`;
    case "NotReadableError":
    case "AbortError":
      return `The ${kind} is busy: another program may be using it.`;
    default:
      return `The ${kind} could not be opened.`;
  }
}

/** Returns what the browser shall do to the microphone's sound: all or nothing. */
export function soundProcessing(on: boolean): MediaTrackConstraints {
  return { echoCancellation: on, noiseSuppression: on, autoGainControl: on };
}

export class Devices {
  choice = { camera: "", microphone: "", quality: "360p" as Quality };
  /** The user's switches. */
  on = { camera: true, microphone: true };
  notes: Record<Kind, string | null> = { camera: null, microphone: null };
  lists: DeviceLists = { camera: [], microphone: [] };
  readonly unavailable = unavailable(window.isSecureContext, navigator.mediaDevices);
  private tracks: Record<Kind, MediaStreamTrack | null> = { camera: null, microphone: null };
  private queue: Promise<void> = Promise.resolve();

  /**
   * `changed` is called whenever a track, a list, a switch or a note is another one. `processing`: whether the browser
   * cancels echo, suppresses noise and levels the microphone.
   */
  constructor(
    private readonly changed: () => void,
    private readonly processing = true,
  ) {
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.list().then(this.changed));
  }

  get camera(): MediaStreamTrack | null {
    return this.tracks.camera;
  }

  get microphone(): MediaStreamTrack | null {
    return this.tracks.microphone;
  }

  local(): LocalTracks {
    const videoBitrate = PICTURES[this.choice.quality].bitrate;
    return { audio: this.tracks.microphone, video: this.tracks.camera, videoBitrate };
  }

  /** Returns what others hear of: a switch counts only when there is a device behind it. */
  sending(): { audio: boolean; video: boolean } {
    return {
      audio: this.on.microphone && this.tracks.microphone !== null,
      video: this.on.camera && this.tracks.camera !== null,
    };
  }

  /** Opens what is chosen; resolves when each device is open or its note says why not. */
  open(): Promise<void> {
    return this.enqueue(async () => {
      await this.list();
      // One question for both devices where possible; one that fails must not take the other with it.
      if (this.wanted("camera") && this.wanted("microphone") && !this.tracks.camera && !this.tracks.microphone) {
        try {
          this.take(await this.request({ camera: true, microphone: true }));
        } catch {
          // Asked for one by one below, which shows what is wrong with which.
        }
      }
      await this.openOne("camera");
      await this.openOne("microphone");
      await this.list();
    });
  }

  choose(kind: Kind, id: string): Promise<void> {
    this.choice[kind] = id;
    if (id !== NONE) this.on[kind] = true;
    return this.reopen(kind);
  }

  chooseQuality(quality: Quality): Promise<void> {
    this.choice.quality = quality;
    return this.reopen("camera");
  }

  /** Mutes without closing the microphone, so that unmuting is instant. */
  async setMicrophone(on: boolean): Promise<void> {
    this.on.microphone = on;
    if (this.tracks.microphone) this.tracks.microphone.enabled = on;
    this.changed();
    if (on && !this.tracks.microphone) await this.reopen("microphone");
  }

  /** Closes the camera when off, so that its light goes out. */
  async setCamera(on: boolean): Promise<void> {
    this.on.camera = on;
    this.changed();
    await this.reopen("camera");
  }

  close(): void {
    this.drop("camera");
    this.drop("microphone");
    this.changed();
  }

  private reopen(kind: Kind): Promise<void> {
    return this.enqueue(async () => {
      this.drop(kind);
      if (this.choice[kind] === NONE && this.on[kind] && this.lists[kind].length > 0) this.notes[kind] = null;
      await this.openOne(kind);
      await this.list();
    });
  }

  private wanted(kind: Kind): boolean {
    if (this.unavailable || this.choice[kind] === NONE) return false;
    return kind === "microphone" || this.on.camera;
  }

  private async openOne(kind: Kind): Promise<void> {
    if (this.tracks[kind]) return;
    this.notes[kind] = null;
    if (!this.wanted(kind)) return;
    try {
      this.take(await this.request({ [kind]: true }));
    } catch (error) {
      this.notes[kind] = explain(kind, error);
    }
  }

  private async request(kinds: Partial<Record<Kind, boolean>>): Promise<MediaStream> {
    const { width, height } = PICTURES[this.choice.quality];
    const constraints = (exact: boolean): MediaStreamConstraints => {
      const device = (kind: Kind) => (this.choice[kind] && exact ? { deviceId: { exact: this.choice[kind] } } : {});
      return {
        video: kinds.camera
          ? { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 30 }, ...device("camera") }
          : false,
        audio: kinds.microphone
          ? { ...soundProcessing(this.processing), ...device("microphone") }
          : false,
      };
    };
    try {
      return await navigator.mediaDevices.getUserMedia(constraints(true));
    } catch (error) {
      // The remembered device is not plugged in today: any other will do.
      if (!(error instanceof Error) || error.name !== "OverconstrainedError") throw error;
      return navigator.mediaDevices.getUserMedia(constraints(false));
    }
  }

  private take(stream: MediaStream): void {
    for (const track of stream.getTracks()) {
      const kind: Kind = track.kind === "video" ? "camera" : "microphone";
      this.drop(kind);
      if (kind === "camera") track.contentHint = "motion";
      else track.enabled = this.on.microphone;
      this.tracks[kind] = track;
      track.onended = () => {
        if (this.tracks[kind] !== track) return;
        this.tracks[kind] = null;
        this.notes[kind] = `The ${kind} was unplugged or taken away.`;
        this.changed();
      };
    }
  }

  private drop(kind: Kind): void {
    const track = this.tracks[kind];
    this.tracks[kind] = null;
    if (!track) return;
    track.onended = null;
    track.stop();
  }

  private async list(): Promise<void> {
    if (this.unavailable) return;
    const all = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    this.lists = {
      camera: all.filter((device) => device.kind === "videoinput"),
      microphone: all.filter((device) => device.kind === "audioinput"),
    };
  }

  /** Requests are answered one after the other: two at once would leave a camera open that nobody holds. */
  private enqueue(act: () => Promise<void>): Promise<void> {
    this.queue = this.queue.then(act).catch((error: unknown) => console.warn("devices:", error));
    return this.queue.then(this.changed);
  }
}
