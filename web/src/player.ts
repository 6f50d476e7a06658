/** The view of the mix as the browser knows it: the player's size, the tab, the wish to save data. */

import { pictureHeight } from "./view";

/** Safari on the iPhone shows only a video element on the full screen, under its own name. */
export type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void; webkitDisplayingFullscreen?: boolean };

/** Not in every browser, nor in TypeScript's library. */
function line(): (EventTarget & { saveData?: boolean }) | undefined {
  return (navigator as { connection?: EventTarget & { saveData?: boolean } }).connection;
}

export class Player {
  constructor(private readonly mix: PhoneVideo) {}

  /** Returns the picture's height on the screen, in device pixels. */
  get height(): number {
    const { mix } = this;
    const box = mix.webkitDisplayingFullscreen ? screen : { width: mix.clientWidth, height: mix.clientHeight };
    return pictureHeight(box, { width: mix.videoWidth, height: mix.videoHeight }, devicePixelRatio);
  }

  /** Returns whether nobody can see the picture. */
  get hidden(): boolean {
    return document.hidden && document.pictureInPictureElement !== this.mix;
  }

  get saveData(): boolean {
    return line()?.saveData === true;
  }

  /** Calls `changed` when one of the above may be another. */
  listen(changed: () => void): void {
    new ResizeObserver(changed).observe(this.mix);
    for (const event of ["visibilitychange", "fullscreenchange"]) document.addEventListener(event, changed);
    for (const event of [
      "resize", "enterpictureinpicture", "leavepictureinpicture", "webkitbeginfullscreen", "webkitendfullscreen",
    ]) {
      this.mix.addEventListener(event, changed);
    }
    // Zooming and moving to another screen change the size of a pixel.
    window.addEventListener("resize", changed);
    line()?.addEventListener("change", changed);
  }
}
