// A server with the rooms that the pictures are taken in, and with the images and people that are in them. All of it is
// made here, or from what the repository has: its studio, and NASA's portrait of Eileen Collins (public domain).

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { ffmpeg } from "../../browser/clips.mjs";
import { program, scratch } from "../../browser/place.mjs";
import { startServer } from "../../browser/server.mjs";
import { until } from "../../browser/wait.mjs";
import { prepared } from "../prepared.mjs";

export const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const PORTRAIT = join(PROJECT, "models/pictures/portrait.jpg");

/** What a picture's canvas is, where it does not say otherwise. Few frames a second: stills need no more. */
const CANVAS = { width: 320, height: 180, fps: 10, background: "#1f2a36" };
/** Between the moments of a strip, in pixels, and what is seen there: about what pages have around pictures. */
const GAP = 4;
const GROUND = "#ffffff";
/** A mask keeps a share of the one before for a while; then people look as they stay. */
const SETTLE_MS = 2500;
/** Bots that send too late on a busy machine are shown all the same. */
const HOLD_MS = 60_000;
/** The share of a picture that a colour must have, so that what has it is seen. */
const SEEN = 0.005;
/** How far each part of a colour may be off. */
const NEAR = 24;
/** A machine that has much else to do needs long to load the network. */
const START_MS = 90_000;
/** A layout with a mistake is refused again and again for so long. */
const LAYOUT_MS = 8000;
/** Loading a picture or a text takes a while on a busy machine. */
const STILL_MS = 30_000;

const SEPIA = "colorchannelmixer=.7:.38:.1:0:.17:.84:.08:0:.14:.27:.56";

/**
 * Who is in which room: the same portrait again and again, distinguished by colour, as in `make demo`. The one who is
 * alone is seen from further off: there is more that may be taken for a part of her.
 */
const PEOPLE = {
  people: {
    ann: "crop=384:216:42:0",
    ben: "crop=352:198:48:0,hflip,hue=s=0",
    cleo: `crop=360:202:48:0,${SEPIA}`,
  },
  alone: { cleo: "crop=512:288:0:8,colorchannelmixer=.393:.769:.189:0:.349:.686:.168:0:.272:.534:.131" },
};

/** Draws an image of some size by a formula for its opacity (0 to 255). */
const drawn = (color, width, height, alpha) =>
  ["-f", "lavfi", "-i", `color=${color}:s=${width}x${height}:d=0.1,format=rgba`, "-frames:v", "1", "-vf"].concat(
    `geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='${alpha}'`,
  );

/** The arguments that make what somebody's camera sees. */
function camera(view) {
  return ["-i", PORTRAIT, "-vf", `${view},scale=640:360`, "-q:v", "2"];
}

/** The images and clips, each with the arguments by which FFmpeg makes it; `null`: as it is in the repository. */
const ASSETS = {
  "studio.jpg": null,
  "ann.jpg": camera(PEOPLE.people.ann),
  // Sixteen rays about a disc.
  "sun.png": drawn(
    "0xffc428",
    128,
    128,
    "clip(64*(if(lt(mod(atan2(Y-63.5,X-63.5)/PI*8+16,2),1),62,40)-hypot(X-63.5,Y-63.5)),0,255)",
  ),
  "heart.png": drawn(
    "0xe02848",
    128,
    128,
    "255*lt(pow(pow((X-63.5)/50,2)+pow((68-Y)/50,2)-1,3)-pow((X-63.5)/50,2)*pow((68-Y)/50,3),0)",
  ),
  "ball.png": drawn("0x2890e8", 128, 128, "clip(64*(50-hypot(X-63.5,Y-63.5)),0,255)"),
  // A sheet with a window, broader below.
  "frame.png": drawn("0xf8f6f0", 116, 140, "255*(1-between(X,8,107)*between(Y,8,107))"),
  "clip.mp4": ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=5:d=1", "-pix_fmt", "yuv420p"],
};

export class Studio {
  /** Starts a server; assets and people come when the first picture needs them. */
  static async start() {
    const args = ["--canvas", "320x180", "--fps", "10"];
    return prepared(new Studio(await startServer(args, { model: "embedded", within: START_MS })));
  }

  constructor(server) {
    this.server = server;
    this.folder = fs.mkdtempSync(join(scratch, "pictures-"));
    this.bots = [];
    /** Rooms that have their people, and assets that are there. */
    this.full = new Set();
  }

  async prepare() {
    for (const room of ["plain", "people", "alone", "strip"])
      await this.server.ask("PUT", `/rooms/${room}`, { hold_ms: HOLD_MS });
  }

  /** Makes and puts the assets that layouts name, where that has not been done. */
  async stock(moments) {
    const named = JSON.stringify(moments);
    for (const [name, args] of Object.entries(ASSETS)) {
      if (this.full.has(name) || !named.includes(`"${name}"`)) continue;
      const file = join(this.folder, name);
      if (args === null) fs.copyFileSync(join(PROJECT, "pipelines/assets", name), file);
      else ffmpeg([...args, file]);
      await this.put(name, fs.readFileSync(file));
      this.full.add(name);
    }
  }

  /** Puts an asset. A very busy machine may take too long to look into it, so it is tried again. */
  put(name, bytes) {
    const put = async () => (await this.server.ask("PUT", `/assets/${name}`, bytes), true);
    return until(`the server takes ${name}`, put, { within: STILL_MS });
  }

  /** The program's description of itself. */
  async document() {
    return (await fetch(`${this.server.url}/openapi.json`)).json();
  }

  /** Lets the people of a room join, one after another, so that slots count them by the alphabet. */
  async fill(room) {
    if (this.full.has(room)) return;
    this.full.add(room);
    for (const [name, view] of Object.entries(PEOPLE[room])) {
      const video = join(this.folder, `${room}-${name}.jpg`);
      ffmpeg([...camera(view), video]);
      const args = ["--server", this.server.url, "--room", room, "--name", name, "--video", video];
      const child = spawn(program(), ["bot", ...args, "--size", "640x360", "--fps", "3"], { stdio: "ignore" });
      this.bots.push({ child, left: new Promise((resolve) => child.once("exit", resolve)) });
      const isIn = async () => (await this.server.people(room)).get(name)?.size;
      await until(`${name} is in the room`, isIn, { within: STILL_MS });
    }
  }

  /** Takes a picture, and resolves to the bytes of its file. @param {import("./list.mjs").Picture} picture */
  async take({ name, room = "plain", size = [CANVAS.width, CANVAS.height], columns = 2, moments, format = "jpg" }) {
    await this.stock(moments);
    if (room in PEOPLE) await this.fill(room);
    if (moments.length === 1) {
      await this.show(room, moments[0], size);
      return this.snapshot(room, format);
    }
    const layers = [];
    const sizes = moments.map(({ size: own }) => own ?? size);
    let [left, top, low] = [0, 0, 0];
    for (const [index, moment] of moments.entries()) {
      const [width, height] = sizes[index];
      await this.show(room, moment, [width, height]);
      const image = `${name}-${index}.png`;
      await this.put(image, await this.snapshot(room, "png"));
      layers.push({ id: `moment-${index}`, source: { image }, x: left, y: top, width, height });
      if (moment.label !== undefined)
        layers.push({ id: `label-${index}`, source: label(moment.label), x: left, y: top + height, anchor: "bottom-left" });
      low = Math.max(low, top + height);
      left += width + GAP;
      if ((index + 1) % columns === 0) [left, top] = [0, low + GAP];
    }
    const across = sizes.slice(0, columns).reduce((sum, [width]) => sum + width + GAP, -GAP);
    await this.show("strip", { layout: { canvas: { background: GROUND }, layers } }, [across, low]);
    return this.snapshot("strip", format);
  }

  /** Shows one moment, and waits until it is seen. */
  async show(room, { layout, after, prepare, sees }, [width, height]) {
    for (const before of prepare ?? []) {
      await this.lay(room, before, width, height);
      await pause(SETTLE_MS);
    }
    if (layout !== undefined) await this.lay(room, layout, width, height);
    if (after !== undefined) await pause(after);
    else if (room in PEOPLE) await pause(SETTLE_MS);
    else await this.still(room);
    const seen = async () => share(await this.snapshot(room, "png"), sees) > SEEN;
    if (sees !== undefined) await until(`${sees} is seen`, seen, { within: STILL_MS });
  }

  async lay(room, layout, width, height) {
    const whole = { ...layout, canvas: { ...CANVAS, width, height, ...layout.canvas } };
    // As with assets, a clip that the server cannot look into in time is one that it does not have.
    const put = () => this.server.ask("PUT", `/rooms/${room}/layout`, whole);
    const { warnings = [] } = await until("the server takes a layout", put, { within: LAYOUT_MS, every: 500 });
    if (warnings.length > 0) throw new Error(`a layout is not shown as it is meant: ${JSON.stringify(warnings)}`);
  }

  /** Waits until nothing moves any more: assets and texts are loaded while the layout is shown already. */
  async still(room) {
    let last = null;
    let same = 0;
    const calm = async () => {
      const now = await this.snapshot(room, "png");
      same = last !== null && now.equals(last) ? same + 1 : 0;
      last = now;
      return same >= 3;
    };
    await until("the picture stands still", calm, { within: STILL_MS, every: 200 });
  }

  async snapshot(room, format) {
    const address = `${this.server.url}/api/v1/rooms/${room}/snapshot.${format}`;
    const ask = async () => {
      const response = await fetch(address);
      if (!response.ok) throw new Error(`${address}: ${response.status} ${await response.text()}`);
      return Buffer.from(await response.arrayBuffer());
    };
    return until("there is a picture", ask, { within: STILL_MS });
  }

  async end() {
    for (const { child, left } of this.bots) {
      child.kill("SIGTERM");
      await left;
    }
    await this.server.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Reads a picture: three bytes a pixel, row by row. */
export function pixels(file) {
  return ffmpeg(["-i", "-", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], { input: file });
}

/** Counts which share of a picture is about of a colour. */
function share(file, color) {
  const parts = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16));
  const all = pixels(file);
  let count = 0;
  for (let at = 0; at < all.length; at += 3)
    if (parts.every((part, index) => Math.abs(all[at + index] - part) < NEAR)) count += 1;
  return count / (all.length / 3);
}

/** A word in a picture that says what is seen there. */
export function label(text) {
  return { text, size: 11, color: "#ffffff", background: "#10161d", padding: 3 };
}
