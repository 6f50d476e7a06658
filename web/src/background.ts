/** The picture behind everyone: chosen from the server's images, or uploaded. */

import { element, say } from "./dom";
import { errorText, isObject } from "./problem";
import type { Shelf } from "./shelf";

const PLAIN = "#111111";

/** Returns the background that a layout names: an image's name, a colour such as `#111111`, or "". */
export function backgroundOf(layout: unknown): string {
  const canvas = isObject(layout) ? layout.canvas : null;
  const background = isObject(canvas) ? canvas.background : null;
  if (typeof background === "string") return background;
  return isObject(background) && typeof background.image === "string" ? background.image : "";
}

export class BackgroundPicker {
  private readonly select = element("background-select", HTMLSelectElement);
  private readonly upload = element("background-upload", HTMLButtonElement);
  private readonly file = element("background-file", HTMLInputElement);
  private readonly note = element("background-note", HTMLParagraphElement);
  private current = "";
  private segmentation: string | null = null;

  /** `put` makes it the room's background; it reports errors itself. */
  constructor(
    private readonly shelf: Shelf,
    private readonly put: (background: string) => Promise<boolean>,
  ) {
    shelf.listen(() => this.render());
    this.select.addEventListener("change", () => void this.choose(this.select.value));
    this.upload.addEventListener("click", () => this.file.click());
    this.file.addEventListener("change", () => {
      const file = this.file.files?.[0];
      if (file) void this.send(file);
      this.file.value = "";
    });
  }

  /** Reads the list of images again. */
  async refresh(): Promise<void> {
    try {
      await this.shelf.refresh();
      say(this.note, this.segmentation);
    } catch (error) {
      say(this.note, `The list of images is not available: ${errorText(error)}`);
      this.render();
    }
  }

  /** The room's layout is this now. */
  show(layout: unknown): void {
    this.current = backgroundOf(layout);
    this.render();
  }

  /** Why people stand in front of no background, if they are not cut out. */
  segmentationNote(reason: string | null): void {
    this.segmentation = reason;
    say(this.note, reason);
  }

  private async choose(background: string): Promise<void> {
    if (await this.put(background)) this.current = background;
    this.render();
  }

  private async send(file: File): Promise<void> {
    this.upload.disabled = true;
    say(this.note, `Uploading ${file.name}`);
    try {
      const name = await this.shelf.upload(file, (share) => say(this.note, `Uploading ${file.name}: ${Math.round(share * 100)} %`));
      say(this.note, this.segmentation);
      await this.choose(name);
    } catch (error) {
      say(this.note, `${file.name} was not uploaded: ${errorText(error)}`);
    } finally {
      this.upload.disabled = false;
    }
  }

  private render(): void {
    const colours = this.current.startsWith("#") && this.current !== PLAIN ? [this.current, PLAIN] : [PLAIN];
    const names = this.shelf.images.map((asset) => asset.name);
    // An image that the list does not have (not loaded yet, deleted) is still what the room shows.
    if (this.current && !this.current.startsWith("#") && !names.includes(this.current)) names.unshift(this.current);
    const options = [
      ...colours.map((colour) => new Option(`Plain ${colour}`, colour)),
      ...names.map((name) => new Option(name.replace(/\.(png|jpe?g|webp|gif)$/i, ""), name)),
    ];
    this.select.replaceChildren(...options);
    this.select.value = this.current || PLAIN;
  }
}
