// Fake cameras: files that Chromium plays as a camera, made from real clips of people where there are any, and of a
// drawn figure otherwise.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { clipFile, scratch } from "./place.mjs";

const WIDTH = 640;
const HEIGHT = 360;
const FPS = 30;
const SECONDS = 6;

/**
 * Who plays in these tests. Both are seen to the chest, in the middle, with the two upper corners of the picture
 * showing nothing but their room. `crop` is an ffmpeg filter; the figure is drawn in `wall` and `shirt`.
 */
const PEOPLE = {
  ann: { file: "headpose_female.mp4", crop: "null", wall: "0xb08060", shirt: "0xe0d020" },
  bob: { file: "asl_man_grey_tshirt.mp4", crop: "crop=440:248:60:10", wall: "0x6080b0", shirt: "0xd03030" },
};

/** Whether the cameras show real people, who can be cut out. */
export const real = Object.values(PEOPLE).every(({ file }) => clipFile(file) !== null);

/** The camera file of `ann` or `bob`: Motion JPEG, 640x360 at 30 fps. */
export function camera(name) {
  const made = join(scratch, `${name}.mjpeg`);
  if (existsSync(made)) return made;
  const { file, crop, wall, shirt } = PEOPLE[name];
  const source = real
    ? ["-t", `${SECONDS}`, "-i", clipFile(file), "-vf", `${crop},scale=${WIDTH}:${HEIGHT},fps=${FPS}`]
    : ["-f", "lavfi", "-i", `color=${wall}:s=${WIDTH}x${HEIGHT}:r=${FPS}:d=${SECONDS}`, "-vf", figure(shirt)];
  ffmpeg([...source, "-an", "-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg", made]);
  return made;
}

/** The camera file of a plain colour, in what cameras mostly give: limited BT.601. */
export function plainCamera([red, green, blue]) {
  const made = join(scratch, `plain-${red}-${green}-${blue}.y4m`);
  const hex = [red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("");
  ffmpeg(["-f", "lavfi", "-i", `color=0x${hex}:s=${WIDTH}x${HEIGHT}:r=${FPS}:d=0.5`, "-pix_fmt", "yuv420p", made]);
  return made;
}

/** Head and shoulders, made of two boxes. */
function figure(shirt) {
  const box = (x, y, width, height, color) => `drawbox=x=${x}:y=${y}:w=${width}:h=${height}:color=${color}:t=fill`;
  return [box(200, 190, 240, 170, shirt), box(265, 70, 110, 120, "0xe0b090")].join(",");
}

/** Runs ffmpeg quietly; throws what it says when it fails. */
export function ffmpeg(args, options = {}) {
  return execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], {
    maxBuffer: 256 * 1024 * 1024,
    stdio: [options.input ? "pipe" : "ignore", "pipe", "pipe"],
    ...options,
  });
}
