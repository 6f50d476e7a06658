/** Small pictures of layouts: what they looked like when they were shown, else drawn from what they say. */

import type { Shelf } from "../shelf";
import { canvasSize, findLayer, readLayout, text, type Layer, type Layout } from "./model";
import { boxes, type Box, type Placed } from "./placed";

/** Pixels of a thumbnail: twice what is shown, for fine screens. */
const WIDTH = 296;
const HEIGHT = 166;
/** Seen pictures that are kept. */
const KEPT = 40;

export class Thumbnails {
  private readonly seen = new Map<string, ImageBitmap>();

  constructor(
    private readonly shelf: Shelf,
    private readonly mix: HTMLVideoElement,
  ) {}

  /** Remembers what the mix shows now as the picture of `layout`. */
  async see(layout: unknown): Promise<void> {
    if (!this.mix.videoWidth) return;
    const bitmap = await createImageBitmap(this.mix, { resizeWidth: WIDTH, resizeHeight: HEIGHT, resizeQuality: "medium" });
    const key = JSON.stringify(layout);
    this.seen.get(key)?.close();
    this.seen.delete(key);
    this.seen.set(key, bitmap);
    const oldest = this.seen.keys().next().value;
    if (this.seen.size > KEPT && oldest !== undefined) {
      this.seen.get(oldest)?.close();
      this.seen.delete(oldest);
    }
  }

  /** Paints a layout, of which the server says where everything would stand. */
  async paint(canvas: HTMLCanvasElement, layout: unknown, placed?: readonly Placed[] | null): Promise<void> {
    [canvas.width, canvas.height] = [WIDTH, HEIGHT];
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const bitmap = this.seen.get(JSON.stringify(layout));
    if (bitmap) pen.drawImage(bitmap, 0, 0, WIDTH, HEIGHT);
    else await this.draw(pen, readLayout(layout), placed ?? []);
  }

  private async draw(pen: CanvasRenderingContext2D, layout: Layout, placed: readonly Placed[]): Promise<void> {
    const { width, height } = canvasSize(layout);
    const scale = Math.min(WIDTH / width, HEIGHT / height);
    const background = text(layout.canvas.background);
    const names = [background, ...layout.layers.flatMap((layer) => imagesOf(layer).slice(0, 1))];
    const images = new Map(await Promise.all(names.map(async (name) => [name, await this.image(name)] as const)));
    pen.clearRect(0, 0, WIDTH, HEIGHT);
    pen.save();
    pen.translate((WIDTH - width * scale) / 2, (HEIGHT - height * scale) / 2);
    pen.scale(scale, scale);
    pen.beginPath();
    pen.rect(0, 0, width, height);
    pen.clip();
    pen.fillStyle = background.startsWith("#") ? background : "#111";
    pen.fillRect(0, 0, width, height);
    const behind = images.get(background);
    if (behind) cover(pen, behind, 0, 0, width, height);
    for (const box of boxes(layout, placed).sort((a, b) => a.rank - b.rank)) this.box(pen, box, layout, images);
    pen.restore();
  }

  private box(pen: CanvasRenderingContext2D, box: Box, layout: Layout, images: ReadonlyMap<string, HTMLImageElement | null>): void {
    const { x, y, width, height } = box.area;
    const layer = box.auto ? null : findLayer(layout, box.id);
    pen.save();
    pen.translate(x + width / 2, y + height / 2);
    pen.rotate((box.rotate * Math.PI) / 180);
    pen.translate(-width / 2, -height / 2);
    if (layer && typeof layer.opacity === "number") pen.globalAlpha = layer.opacity;
    const image = layer && images.get(imagesOf(layer)[0] ?? "");
    if (image) cover(pen, image, 0, 0, width, height);
    else if (box.kind === "color") {
      pen.fillStyle = text(layer?.source.color) || "#444";
      pen.fillRect(0, 0, width, height);
    } else if (box.kind === "text") {
      pen.fillStyle = text(layer?.source.color) || "#fff";
      pen.font = `${Math.min(height * 0.8, 90)}px Inter, sans-serif`;
      pen.textBaseline = "middle";
      pen.fillText(text(layer?.source.text), 0, height / 2, width);
    } else if (box.kind === "participant" || box.kind === "slot") {
      const cut = layer ? layer.cutout !== undefined && layer.cutout !== "none" : false;
      figure(pen, width, height, cut, box.words);
    }
    pen.restore();
  }

  private async image(name: string): Promise<HTMLImageElement | null> {
    const asset = this.shelf.images.find((each) => each.name === name);
    if (!asset) return null;
    try {
      const image = new Image();
      image.src = await this.shelf.picture(asset);
      await image.decode();
      return image;
    } catch {
      return null;
    }
  }
}

/** Returns the images that a layer names. */
function imagesOf({ source: { image } }: Layer): string[] {
  return (Array.isArray(image) ? image : [image]).filter((name) => typeof name === "string");
}

/** Head and shoulders, on a wall of their own unless they are cut out. */
function figure(pen: CanvasRenderingContext2D, width: number, height: number, cut: boolean, name: string): void {
  const hue = [...name].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 360, 0);
  pen.beginPath();
  pen.rect(0, 0, width, height);
  pen.clip();
  if (!cut) {
    pen.fillStyle = `hsl(${hue} 22% 30%)`;
    pen.fillRect(0, 0, width, height);
  }
  pen.fillStyle = `hsl(${hue} 38% 62%)`;
  const size = Math.min(width, height);
  pen.beginPath();
  pen.arc(width / 2, height - size * 0.56, size * 0.17, 0, 7);
  pen.fill();
  pen.beginPath();
  pen.ellipse(width / 2, height, size * 0.36, size * 0.34, 0, Math.PI, 0);
  pen.fill();
}

/** An image over the whole rectangle, its shape kept. */
function cover(pen: CanvasRenderingContext2D, image: HTMLImageElement, x: number, y: number, width: number, height: number): void {
  const scale = Math.max(width / image.naturalWidth, height / image.naturalHeight);
  const [across, down] = [width / scale, height / scale];
  pen.drawImage(image, (image.naturalWidth - across) / 2, (image.naturalHeight - down) / 2, across, down, x, y, width, height);
}
