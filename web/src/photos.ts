/** The pictures that triggers took, for everybody in the room: to look at and to keep. */

import type { Api, Photo } from "./api";
import { element, make, say } from "./dom";
import { errorText } from "./problem";
import type { RoomEvent } from "./protocol";

export interface PhotoHandlers {
  room(): string | null;
  save(file: Blob, ending: string): void;
  trouble(text: string): void;
}

/** Returns what a picture is of, as far as is known. */
export function photoWords({ trigger, taken_at: at }: Photo): string {
  return `${trigger}, ${new Date(at).toLocaleTimeString()}`;
}

export class Photos {
  private readonly panel = element("photos", HTMLDetailsElement);
  private readonly count = element("photos-count", HTMLSpanElement);
  private readonly says = element("photos-says", HTMLParagraphElement);
  private readonly list = make("ul", { class: "photos", "data-testid": "photos" });
  private photos: readonly Photo[] = [];
  /** Counts readings, so that an answer about another room is passed over. */
  private reading = 0;

  constructor(
    private readonly api: Api,
    private readonly handlers: PhotoHandlers,
  ) {
    this.panel.append(make("div", { class: "inside" }, this.list));
    // Pictures are large: they are fetched for those who want to see them.
    this.panel.addEventListener("toggle", () => this.render());
  }

  /** Reads which there are. Without any the panel stays away. */
  async enter(): Promise<void> {
    const mine = (this.reading += 1);
    const photos = await this.api.photos(this.handlers.room() ?? "").catch(() => []);
    if (mine === this.reading) this.show(photos);
  }

  event(event: RoomEvent): void {
    if (event.type !== "photo_taken") return;
    say(this.says, `A photo was taken: ${photoWords(event.photo)}`);
    // The server drops the oldest when there is no room for them; the list has those that can be fetched.
    void this.enter();
  }

  /** Outside of a room. */
  clear(): void {
    this.reading += 1;
    this.show([]);
    say(this.says, null);
  }

  private show(photos: readonly Photo[]): void {
    this.photos = photos;
    this.count.textContent = String(photos.length);
    this.panel.hidden = photos.length === 0;
    this.render();
  }

  private render(): void {
    const known = new Map([...this.list.children].map((item) => [(item as HTMLElement).dataset.id, item]));
    const wanted = this.panel.open ? [...this.photos].reverse() : [];
    const items = wanted.map((photo) => known.get(photo.id) ?? this.item(photo));
    for (const item of known.values()) if (!items.includes(item)) release(item);
    this.list.replaceChildren(...items);
  }

  private item(photo: Photo): HTMLLIElement {
    const words = photoWords(photo);
    const picture = make("img", { alt: "", width: photo.width, height: photo.height });
    const keep = make("button", { class: "photo", type: "button", "data-testid": "photo", "aria-label": `Save the photo ${words}` }, picture, words);
    let file: Blob | null = null;
    this.api.photo(this.handlers.room() ?? "", photo.id).then(
      (blob) => {
        file = blob;
        picture.src = URL.createObjectURL(blob);
      },
      (error: unknown) => this.handlers.trouble(`The photo ${words} was not fetched: ${errorText(error)}`),
    );
    keep.addEventListener("click", () => file && this.handlers.save(file, "jpg"));
    const item = make("li", {}, keep);
    item.dataset.id = photo.id;
    return item;
  }
}

function release(item: Element): void {
  const picture = item.querySelector("img");
  if (picture?.src) URL.revokeObjectURL(picture.src);
}
