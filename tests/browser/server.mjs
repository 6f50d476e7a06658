// A real `virfie serve` on a free port, with a data folder of its own, and its REST interface.

import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import { real } from "./clips.mjs";
import { program, scratch } from "./place.mjs";
import { inTime, until } from "./wait.mjs";

/** Loading a model on a busy machine takes a second or two. */
const START_MS = 20_000;
/** The program promises to be gone in ten seconds. */
const STOP_MS = 12_000;

/**
 * Starts the server; resolves when it answers. `args` come after the usual ones; `address`: where it is, this
 * machine's; `model`: by which people are cut out. Made clips show nobody: they are looked at whole. `within`: how long
 * it may take to start.
 */
export async function startServer(
  args = [],
  { address = "127.0.0.1", model = real ? "embedded" : "none", within = START_MS } = {},
) {
  const data = mkdtempSync(join(scratch, "data-"));
  const flags = ["--data-dir", data, "--listen", `${address}:0`, "--model", model, ...args];
  // What the one who runs the tests has set for another server must not change this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith("VIRFIE_")));
  const child = spawn(program(), ["serve", ...flags], { env, stdio: ["ignore", "pipe", "pipe"] });
  const server = new Server(child);
  try {
    const ready = () => server.exited === null && /open (http:\S+)\//.exec(server.said);
    server.url = (await until("the server prints its address", ready, { within }))[1];
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`${error.message}\n${server.log}`);
  }
  return server;
}

class Server {
  url = "";
  /** Everything on stdout so far. */
  said = "";
  /** Everything on stderr so far. */
  log = "";
  /** The exit code or the signal's name, once it has ended. */
  exited = null;

  constructor(child) {
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text) => (this.said += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve((this.exited = code ?? signal)));
    });
  }

  /** Asks the REST interface; resolves to the body, parsed. Rejects with the problem's text on any other status. */
  async ask(method, path, body, headers = {}) {
    const plain = body === undefined || body instanceof Uint8Array;
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const response = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: plain ? headers : { "content-type": type, ...headers },
      body: plain ? body : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text && response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
  }

  /** Makes a token for a room, by the server's API key. */
  async token(role, room, key) {
    return (await this.ask("POST", "/tokens", { role, room }, { authorization: `Bearer ${key}` })).token;
  }

  /** The room's participants by name. */
  async people(room) {
    const state = await this.ask("GET", `/rooms/${room}`);
    return new Map(state.participants.map((person) => [person.name, person]));
  }

  /** Listens to the room's events from now on. */
  async events(room) {
    const feed = new Feed();
    const response = await fetch(`${this.url}/api/v1/rooms/${room}/events`, { signal: feed.stop.signal });
    if (!response.ok) throw new Error(`events of ${room}: ${response.status}`);
    feed.reading = feed.read(response.body);
    return feed;
  }

  /** Ends the server as a service manager would; resolves to its exit code. */
  async stop() {
    if (this.exited !== null) return this.exited;
    this.child.kill("SIGTERM");
    try {
      return await inTime("the server drains", this.ended, STOP_MS);
    } finally {
      if (this.exited === null) this.child.kill("SIGKILL");
    }
  }
}

/** A room's server-sent events. */
class Feed {
  stop = new AbortController();
  /** Everything that came, as it came. */
  text = "";

  async read(body) {
    const decoder = new TextDecoder();
    try {
      for await (const bytes of body) this.text += decoder.decode(bytes, { stream: true });
    } catch (error) {
      if (!this.stop.signal.aborted) throw error;
    }
  }

  /** The events so far, parsed. */
  get seen() {
    const whole = this.text.slice(0, this.text.lastIndexOf("\n\n") + 1);
    return [...whole.matchAll(/^data: ?(.*)$/gm)].map(([, data]) => JSON.parse(data));
  }

  async close() {
    this.stop.abort();
    await this.reading;
  }
}
