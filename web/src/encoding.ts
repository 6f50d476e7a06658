/** How the camera's picture is encoded: no larger, faster or dearer than it is shown in the room. */

import type { Shown } from "./protocol";

export interface Encoding {
  /** The divisor of width and height. */
  scale: number;
  /** Upper bound, bits per second. */
  bitrate: number;
  /** Upper bound, frames a second; `null`: as the camera gives them. */
  framerate: number | null;
}

/** Few and far apart, so that a layer that moves a little does not make the encoder start over. */
const SCALES = [4, 3, 2, 1.5, 1];
/** Someone not shown goes on sending a little: the server can show them at once. */
const UNSEEN: Encoding = { scale: 4, bitrate: 60_000, framerate: 5 };
const LEAST_BITRATE = 60_000;
const BITS_PER_PIXEL = 0.1;

/**
 * Returns the encoding of a camera whose track has the size `track` (`null`: not known) and is shown as `shown` says
 * (`null`: not known yet). `most`: upper bound of the bitrate.
 */
export function encodingFor(
  track: { width: number; height: number } | null,
  shown: Shown | null,
  most: number,
): Encoding {
  if (!shown) return { scale: 1, bitrate: most, framerate: null };
  if (shown.width <= 0 || shown.height <= 0) return { ...UNSEEN, bitrate: Math.min(UNSEEN.bitrate, most) };
  const framerate = shown.fps > 0 ? shown.fps : null;
  if (!track) return { scale: 1, bitrate: most, framerate };
  const room = Math.min(track.width / shown.width, track.height / shown.height);
  const scale = SCALES.find((each) => each <= room) ?? 1;
  const bits = ((track.width / scale) * (track.height / scale) * (framerate ?? 30)) * BITS_PER_PIXEL;
  return { scale, bitrate: Math.round(Math.min(most, Math.max(LEAST_BITRATE, bits))), framerate };
}
