// A second Virfie, which gets the first one's room by WHIP and records what comes as it comes.

import { resolve } from "node:path";

import { until } from "../browser/wait.mjs";
import { Far, bytesIn, filesIn, freePort } from "./far.mjs";

const ROOM = "second";
const KEY = "a-key-of-the-second-virfie";
const START_MS = 20_000;

export class Second extends Far {
  /** `ports`: the UDP ports at which media comes, `FIRST-LAST`. */
  static async at(address, program, { ports } = {}) {
    const port = await freePort(address);
    return Object.assign(new Second("whip"), { address, port, ports, program: resolve(program), made: false });
  }

  get url() {
    return `http://${this.address}:${this.port}`;
  }

  get recorded() {
    return `${this.folder}/recordings/${ROOM}`;
  }

  command() {
    const flags = ["--data-dir", this.folder, "--listen", `${this.address}:${this.port}`, "--api-key", KEY];
    const ports = this.ports ? ["--udp-ports", this.ports] : [];
    const own = ["--model", "none", "--recordings-spare", "16", "--log-level", "warn"];
    return [this.program, ["serve", ...flags, ...ports, ...own]];
  }

  async ready() {
    const answers = async () => (await fetch(`${this.url}/readyz`)).ok;
    await until("the second Virfie answers", answers, { within: START_MS });
    // After a kill, both are there again.
    if (this.made) return;
    await this.ask("PUT", `/rooms/${ROOM}`, {});
    await this.ask("POST", `/rooms/${ROOM}/outputs`, { type: "iso", name: "came" });
    this.made = true;
  }

  async ask(method, path, body) {
    const headers = { authorization: `Bearer ${KEY}`, ...(body && { "content-type": "application/json" }) };
    const response = await fetch(`${this.url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  /** Who is in its room: the first one's room, as a participant. */
  async guest() {
    const { participants } = await this.ask("GET", `/rooms/${ROOM}`);
    return participants.find(({ name }) => name === "first");
  }

  body() {
    return { type: "whip", url: `${this.url}/whip/${ROOM}?name=first`, token: KEY };
  }

  bytes() {
    return bytesIn(this.recorded, ".mkv");
  }

  files() {
    return filesIn(this.recorded, ".mkv");
  }
}
