/** The drawer of images and fonts: uploads by button and by dropping files, with progress; deletion; use. */

import type { Asset } from "./api";
import { element, make } from "../dom";
import { errorText } from "../problem";
import type { Shelf } from "../shelf";
import { tool } from "./bar";

export interface DrawerHandlers {
  background(name: string): void;
  layer(name: string): void;
  tell(text: string): void;
  trouble(text: string): void;
}

/** How long a failed upload stays shown. */
const FAILED_MS = 10_000;
const KINDS = "image/png,image/jpeg,image/webp,image/gif,.ttf,.otf";

export class Drawer {
  private readonly panel = element("images", HTMLDetailsElement);
  private readonly count = element("images-count", HTMLSpanElement);
  private readonly list = make("ul", { class: "images", "data-testid": "images" });
  private readonly uploads = make("ul", { class: "uploads", "data-testid": "uploads" });

  constructor(
    private readonly shelf: Shelf,
    private readonly handlers: DrawerHandlers,
  ) {
    const file = make("input", { type: "file", multiple: true, hidden: true, accept: KINDS, "data-testid": "images-file" });
    const upload = make("button", { class: "quiet", type: "button", "data-testid": "images-upload" }, "Upload");
    upload.addEventListener("click", () => file.click());
    file.addEventListener("change", () => {
      void this.send([...(file.files ?? [])]);
      file.value = "";
    });
    const row = make("div", { class: "drawer-row" }, upload, file, make("span", { class: "dim" }, "or drop files here or on the picture"));
    this.panel.append(make("div", { class: "inside" }, row, this.uploads, this.list));
    dropZone(this.panel, (files) => {
      this.panel.open = true;
      void this.send(files);
    });
    dropZone(element("stage", HTMLDivElement), (files) => void this.send(files).then((names) => names.forEach((name) => this.place(name))));
    this.panel.addEventListener("toggle", () => this.render());
    shelf.listen(() => this.render());
  }

  private place(name: string): void {
    if (this.shelf.sizes.has(name)) this.handlers.layer(name);
  }

  /** Uploads files one after the other; resolves to the names of those that arrived. */
  private async send(files: readonly File[]): Promise<string[]> {
    const names: string[] = [];
    for (const file of files) {
      const bar = make("progress", { max: 1, value: 0, "aria-label": `Upload of ${file.name}` });
      const line = make("li", {}, make("span", {}, file.name), bar);
      this.uploads.append(line);
      try {
        names.push(await this.shelf.upload(file, (share) => (bar.value = share)));
        line.remove();
        this.handlers.tell(`${file.name} is uploaded`);
      } catch (error) {
        line.dataset.failed = "true";
        line.setAttribute("role", "alert");
        line.replaceChildren(`${file.name} was not uploaded: ${errorText(error)}`);
        setTimeout(() => line.remove(), FAILED_MS);
      }
    }
    return names;
  }

  private render(): void {
    this.count.textContent = String(this.shelf.assets.length);
    if (!this.panel.open) return;
    const known = new Map([...this.list.children].map((tile) => [(tile as HTMLElement).dataset.key, tile]));
    this.list.replaceChildren(...this.shelf.assets.map((asset) => known.get(keyOf(asset)) ?? this.tile(asset)));
  }

  private tile(asset: Asset): HTMLLIElement {
    const { name } = asset;
    const isImage = this.shelf.sizes.has(name);
    const size = asset.width && asset.height ? `${asset.width} × ${asset.height}, ` : "";
    const title = `${name}, ${size}${Math.ceil(asset.bytes / 1024)} KiB`;
    const picture = isImage ? make("img", { alt: "" }) : make("span", { class: "no-image", "aria-hidden": "true" }, "Aa");
    if (picture instanceof HTMLImageElement) {
      this.shelf.picture(asset).then((address) => (picture.src = address), () => undefined);
    }
    const tools = make("div", { class: "tile-tools" });
    if (isImage) {
      const behind = tool("background", `Use ${name} as the background`, "use-background");
      behind.addEventListener("click", () => this.handlers.background(name));
      const layer = tool("add", `Put ${name} on the picture`, "use-layer");
      layer.addEventListener("click", () => this.handlers.layer(name));
      tools.append(behind, layer);
    }
    if (!asset.builtin) {
      const remove = tool("remove", `Delete ${name}`, "delete-asset");
      remove.addEventListener("click", () => void this.remove(asset));
      tools.append(remove);
    }
    const tile = make("li", { class: "image-tile", "data-name": name, title }, picture, make("span", { class: "image-name" }, name), tools);
    tile.dataset.key = keyOf(asset);
    return tile;
  }

  private async remove(asset: Asset): Promise<void> {
    const { name } = asset;
    try {
      await this.shelf.remove(asset);
      this.handlers.tell(`${name} is deleted`);
    } catch (error) {
      this.handlers.trouble(`${name} was not deleted: ${errorText(error)}`);
    }
  }
}

/** A text that changes whenever a tile shows something else. */
function keyOf({ name, room, bytes, builtin }: Asset): string {
  return `${room ?? ""} ${name} ${bytes} ${builtin}`;
}

/** Takes files that are dropped on `target`. */
function dropZone(target: HTMLElement, take: (files: File[]) => void): void {
  const holds = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
  target.addEventListener("dragover", (event) => {
    if (!holds(event) || target.closest('[data-directs="false"]')) return;
    event.preventDefault();
    target.classList.add("dropping");
  });
  target.addEventListener("dragleave", (event) => {
    if (!target.contains(event.relatedTarget as Node | null)) target.classList.remove("dropping");
  });
  target.addEventListener("drop", (event) => {
    target.classList.remove("dropping");
    if (!holds(event) || target.closest('[data-directs="false"]')) return;
    event.preventDefault();
    take([...(event.dataTransfer?.files ?? [])]);
  });
}
