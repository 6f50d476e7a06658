// A program at the far end of an output: it is started, killed, stopped where it stands, and started again, and what comes
// to it is counted.

import { spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import { scratch } from "../browser/place.mjs";

/** A player that lost its connection tries again after this long. */
const AGAIN_MS = 500;

/** What runs now, ended with this process: a program that is stopped takes no other signal. */
const running = new Set();
process.once("exit", () => running.forEach((child) => child.kill("SIGKILL")));

// What the one who runs this has set for another server must not change ours.
const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("VIRFIE_")));

export class Far {
  /** Everything on stderr so far. */
  log = "";
  wanted = false;
  #came = 0;

  /**
   * @param {string} name what it is called, and its folder
   * @param {{keeps?: boolean, returns?: boolean}} how `keeps`: what it writes to its standard output is what came, and is
   *   kept as `this.came`; `returns`: it begins again when it ends by itself, as players do
   */
  constructor(name, { keeps = true, returns = false } = {}) {
    this.folder = mkdtempSync(join(scratch, `${name}-`));
    this.came = join(this.folder, "came.ts");
    Object.assign(this, { name, keeps, returns });
  }

  /** The program and its arguments, as of now. */
  command() {
    throw new Error(`${this.name} has no program`);
  }

  /** Resolves when it can take something. */
  async ready() {}

  /** Starts it, also after a kill. */
  async start() {
    this.wanted = true;
    this.#run();
    await this.ready();
  }

  #run() {
    const child = spawn(...this.command(), { env, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    running.add(child);
    child.stderr.setEncoding("utf8").on("data", (text) => (this.log = (this.log + text).slice(-100_000)));
    child.stdout.on("data", (bytes) => {
      this.#came += bytes.length;
      if (this.keeps) appendFileSync(this.came, bytes);
    });
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => (this.log += error.message));
      child.once("close", () => {
        running.delete(child);
        resolve();
        if (this.returns) setTimeout(() => this.wanted && this.child === child && this.#run(), AGAIN_MS).unref();
      });
    });
  }

  /** Kills it without a word. */
  async kill() {
    this.wanted = false;
    this.child?.kill("SIGKILL");
    await this.ended;
  }

  freeze() {
    this.child.kill("SIGSTOP");
  }

  thaw() {
    this.child.kill("SIGCONT");
  }

  /** Bytes that have come so far. */
  bytes() {
    return this.#came;
  }
}

/** The files of a folder whose name ends so, the oldest first. */
export function filesIn(folder, ending) {
  let names = [];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith(ending));
  } catch {
    // It comes with the first file.
  }
  return names.sort().map((name) => join(folder, name));
}

/** The bytes of them all. */
export function bytesIn(folder, ending) {
  return filesIn(folder, ending).reduce((sum, file) => sum + statSync(file).size, 0);
}

/** A port of an address that nobody listens at, by TCP. */
export function freePort(address) {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, address, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
