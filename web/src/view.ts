/** Reports to the server what picture this page can use, once a receiving connection asks for it and upon changes. */

import type { View } from "./protocol";

/** Dragging a window's edge reports its size many times a second. */
const SETTLE_MS = 300;
/** A smaller share of dropped frames is not worth a smaller picture. */
const DROPPED_MUCH = 0.05;

/** Returns the height of a picture of `picture`'s shape that fills as much of a box as it can, in device pixels. */
export function pictureHeight(
  box: { width: number; height: number },
  picture: { width: number; height: number },
  pixelRatio: number,
): number {
  const shape = picture.width > 0 && picture.height > 0 ? picture.height / picture.width : 9 / 16;
  return Math.round(Math.min(box.height, box.width * shape) * pixelRatio);
}

export class ViewReport {
  /** The view that was reported last; `null` while nobody takes reports. */
  private told: View | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private counts: { decoded: number; dropped: number } | null = null;
  private dropped = 0;

  constructor(
    private readonly read: () => Omit<View, "dropped">,
    private readonly send: (view: View) => void,
  ) {}

  /** Reports at once, and from now on what changes. For every receiving connection. */
  start(): void {
    this.stop();
    this.tell();
  }

  /** Reports to nobody until the next start. */
  stop(): void {
    clearTimeout(this.timer);
    this.told = null;
    this.counts = null;
    this.dropped = 0;
  }

  /** Something may have changed. */
  changed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { told } = this;
      const now = this.read();
      const same =
        !told ||
        (told.height === now.height &&
          told.hidden === now.hidden &&
          told.save_data === now.save_data &&
          told.rendition === now.rendition);
      if (!same) this.tell();
    }, SETTLE_MS);
  }

  /** Frames decoded and dropped since the connection's start. To be called every few seconds. */
  count(decoded: number, dropped: number): void {
    const before = this.counts;
    this.counts = { decoded, dropped };
    if (!this.told || !before || decoded < before.decoded || dropped < before.dropped) return;
    const lost = dropped - before.dropped;
    const all = lost + decoded - before.decoded;
    this.dropped = all > 0 ? Math.round((lost / all) * 100) / 100 : 0;
    if (this.dropped > DROPPED_MUCH || this.told.dropped > DROPPED_MUCH) this.tell();
  }

  private tell(): void {
    this.told = { ...this.read(), dropped: this.dropped };
    this.send(this.told);
  }
}
