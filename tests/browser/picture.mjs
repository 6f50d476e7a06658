// Pictures as pixels: what a page's video shows, what a recording holds, and what is expected to be there.

import { artifact } from "./place.mjs";
import { ffmpeg } from "./clips.mjs";
import { until } from "./wait.mjs";

/** Width and height of the canvas of every room in these tests. */
export const CANVAS = { width: 1280, height: 720 };

/** A browser that was busy as it began, or dropped frames, is shown a smaller picture for half a minute. */
export const SHARP_MS = 45_000;

/** An RGBA picture. */
export class Picture {
  constructor(width, height, data) {
    if (data.length !== width * height * 4) throw new Error(`${data.length} bytes are no ${width}x${height} picture`);
    this.width = width;
    this.height = height;
    this.data = data;
  }

  /** The colour at a place: red, green, blue of 0 to 255. */
  at(x, y) {
    const from = (y * this.width + x) * 4;
    return [this.data[from], this.data[from + 1], this.data[from + 2]];
  }

  /**
   * How many of a rectangle's pixels satisfy `test(color, x, y)`, from 0 to 1. A test that gives `null` leaves the
   * pixel out.
   */
  share({ x, y, width, height }, test) {
    let counted = 0;
    let satisfied = 0;
    for (let row = y; row < y + height; row += 1) {
      for (let column = x; column < x + width; column += 1) {
        const verdict = test(this.at(column, row), column, row);
        if (verdict === null) continue;
        counted += 1;
        if (verdict) satisfied += 1;
      }
    }
    if (counted === 0) throw new Error("the test leaves out every pixel");
    return satisfied / counted;
  }

  /** Keeps the picture as PNG for those who want to look at it. */
  keep(name) {
    const file = artifact(name);
    const raw = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", `${this.width}x${this.height}`, "-i", "-"];
    ffmpeg([...raw, "-compression_level", "1", file], { input: this.data });
    return file;
  }
}

/** The frame that a video element shows now. */
export async function look(video) {
  const { width, height, base64 } = await video.evaluate(async (element) => {
    const { videoWidth: width, videoHeight: height } = element;
    if (width === 0) throw new Error("the video has no picture yet");
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(element, 0, 0);
    const reader = new FileReader();
    reader.readAsDataURL(new Blob([context.getImageData(0, 0, width, height).data]));
    await new Promise((resolve) => (reader.onload = resolve));
    return { width, height, base64: reader.result.split(",")[1] };
  });
  return new Picture(width, height, Buffer.from(base64, "base64"));
}

/** The frame that a mix shows as soon as it is as large as the canvas. */
export async function lookSharp(mix) {
  return await until("the mix has its full size", async () => {
    const picture = await look(mix);
    if (picture.width === CANVAS.width && picture.height === CANVAS.height) return picture;
    throw new Error(`${picture.width}x${picture.height}`);
  }, { within: SHARP_MS });
}

/** The picture of a recording at `seconds`. */
export function frameOf(file, seconds, { width, height } = CANVAS) {
  const raw = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", "-"];
  return new Picture(width, height, ffmpeg(["-ss", `${seconds}`, "-i", file, ...raw]));
}

/**
 * How much of the box shows the clip of a fake camera, from 0 to 1: the pixels that look as in some frame of it. People
 * move, so a part of the picture is always different.
 */
export function likeness(picture, box, clip) {
  const { width, height } = box;
  const fitted = `scale=${width}:${height}`;
  const raw = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgba", "-"];
  const still = new Picture(width, height, ffmpeg(["-i", clip, "-vf", fitted, ...raw]));
  return picture.share(box, (color, x, y) => distance(color, still.at(x - box.x, y - box.y)) < 40);
}

/** How far two colours are apart: the largest difference of a channel. */
export function distance([r, g, b], [red, green, blue]) {
  return Math.max(Math.abs(r - red), Math.abs(g - green), Math.abs(b - blue));
}

/**
 * A chequered background. Its two colours are found in no room and on nobody, and the tiles show that it is that
 * picture at that place, not just a colour.
 */
export const pattern = {
  name: "pattern.png",
  tile: 80,
  colors: [
    [0, 150, 60],
    [190, 40, 170],
  ],
  /** Of a decoded pixel from the right colour. */
  tolerance: 24,

  /** The colour at a place of the canvas; `null` beside a tile's edge, where encoding mixes the two. */
  at(x, y) {
    const border = 6;
    const beside = [x % this.tile, y % this.tile].some((at) => at < border || at >= this.tile - border);
    return beside ? null : this.colors[(Math.floor(x / this.tile) + Math.floor(y / this.tile)) % 2];
  },

  png() {
    const { width, height } = CANVAS;
    const data = Buffer.alloc(width * height * 4, 255);
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width; x += 1) {
        data.set(this.colors[(Math.floor(x / this.tile) + Math.floor(y / this.tile)) % 2], (y * width + x) * 4);
      }
    }
    const raw = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", `${width}x${height}`, "-i", "-"];
    return ffmpeg([...raw, "-c:v", "png", "-f", "image2pipe", "-"], { input: data });
  },

  /** A test for `Picture.share`: whether this pixel is the background's. */
  shown(color, x, y) {
    const expected = pattern.at(x, y);
    return expected && distance(color, expected) <= pattern.tolerance;
  },
};
