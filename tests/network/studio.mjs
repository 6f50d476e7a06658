// A real `virfie serve` at the server's end of a line, with somebody in the room who moves and sounds all the time.

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { clipFile, program, scratch } from "../browser/place.mjs";
import { inTime, until } from "../browser/wait.mjs";

export const ROOM = "line";
/** What the person sounds, Hz, without a pause: any gap is the line's. */
export const TONE = 880;
const PORT = 8080;
const WHOLE = 720;
const START_MS = 20_000;
const STOP_MS = 12_000;

/** Whether the program's bots can receive without sending. */
function canWatch() {
  return spawnSync(program(), ["bot", "--help"], { encoding: "utf8" }).stdout.includes("--receive-only");
}

/** Server and person, until `close`. */
export class Studio {
  /** Starts both at the server's end of the line; resolves when the person gets the room's picture. */
  static async open(line) {
    const studio = new Studio(line.server);
    try {
      await studio.start();
      return studio;
    } catch (error) {
      await studio.close();
      throw new Error(`${error.message}\n${studio.server.log.slice(-4_000)}`);
    }
  }

  constructor(end) {
    this.end = end;
    this.key = randomBytes(16).toString("hex");
    this.url = `http://${end.address}:${PORT}`;
    this.clip = clipFile("headpose_female.mp4");
    const data = mkdtempSync(join(scratch, "data-"));
    // Made pictures show nobody: they are looked at whole.
    const model = this.clip ? "embedded" : "none";
    const flags = ["--data-dir", data, "--listen", `${end.address}:${PORT}`, "--api-key", this.key, "--model", model];
    this.server = new Program(end, ["serve", ...flags]);
    this.bots = [];
  }

  async start() {
    const ready = () => {
      if (this.server.exited !== null) throw new Error(`the server ended: ${this.server.exited}`);
      return this.server.said.includes("open http");
    };
    await until("the server prints its address", ready, { within: START_MS });
    const video = this.clip ? ["--video", this.clip] : [];
    this.person = this.bot("person", [...video, "--steady", "--tone", `${TONE}`]);
    await this.person.receives();
    // Somebody else on a good line, to whom nothing may happen. Without such bots, the person is that.
    this.other = canWatch() ? this.bot("other", ["--receive-only"]) : this.person;
    await this.other.receives();
    await until("the other one gets the whole picture", () => this.other.height >= WHOLE, { within: START_MS });
  }

  bot(name, args) {
    const bot = new Bot(this.end, name, [...args, "--server", this.url, "--token", this.key, "--room", ROOM]);
    this.bots.push(bot);
    return bot;
  }

  async close() {
    await Promise.all(this.bots.map((bot) => bot.stop()));
    await this.server.stop();
  }
}

/** The program at one end of the line. */
class Program {
  /** Everything on stdout and stderr so far. */
  said = "";
  log = "";
  exited = null;

  constructor(end, args) {
    // What the one who runs this has set for another server must not change this one.
    const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("VIRFIE_")));
    this.child = spawn(...end.command(program(), args), { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child.stdout.setEncoding("utf8").on("data", (text) => (this.said += text));
    this.child.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    this.ended = new Promise((resolve) => {
      this.child.once("exit", (code, signal) => resolve((this.exited = code ?? signal)));
    });
  }

  async stop() {
    if (this.exited !== null) return;
    this.child.kill("SIGTERM");
    try {
      await inTime("the program ends", this.ended, STOP_MS);
    } finally {
      if (this.exited === null) this.child.kill("SIGKILL");
    }
  }
}

/** `virfie bot`, and what it reports every second. */
class Bot extends Program {
  /** Its reports, with the time of each in milliseconds. */
  reports = [];

  constructor(end, name, args) {
    super(end, ["bot", "--name", name, ...args]);
    createInterface({ input: this.child.stdout }).on("line", (text) => {
      if (text.startsWith("{")) this.reports.push({ at: performance.now(), ...JSON.parse(text) });
    });
  }

  async receives() {
    const steady = () => {
      if (this.exited !== null) throw new Error(`the bot ended: ${this.log}`);
      return this.reports.at(-1)?.frames_received >= 25;
    };
    await until("the bot gets the room's picture", steady, { within: START_MS });
  }

  /** The height of the picture that comes now, by `720p` in its report; whole from servers that have no other. */
  get height() {
    return heightOf(this.reports.at(-1));
  }

  /** Frames a second and the lowest height, between two times. */
  between(from, to) {
    // A report is about the second before it.
    const reports = this.reports.filter(({ at }) => at > from + 1_000 && at <= to);
    const frames = reports.slice(1).reduce((sum, report) => sum + report.frames_received, 0);
    const span = reports.length > 1 ? reports.at(-1).at - reports[0].at : 0;
    return { fps: span > 0 ? (frames * 1_000) / span : 0, lowest: Math.min(...reports.map(heightOf)) };
  }
}

function heightOf({ rendition }) {
  return rendition ? Number.parseInt(rendition, 10) : WHOLE;
}
