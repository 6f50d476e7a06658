// The room that is sent everywhere: a server, somebody in it who sends picture and sound, and outputs.

import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";

import { program, scratch } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { until } from "../browser/wait.mjs";

export const ROOM = "outputs";
const PERSON = "person";
const CANVAS = { width: 1280, height: 720, fps: 30 };
const BACKGROUND = "studio.jpg";
const JOIN_MS = 30_000;
/** An output is given up by the server itself before that. */
const LIVE_MS = 60_000;

/**
 * What all outputs but WebRTC's are encoded as: equal settings, so that one encoder makes them. How much work it does is
 * fixed, because what the machine has left differs from run to run.
 */
export const VIDEO = { bitrate: 2_500, keyframe_seconds: 2, profile: "high", rate_control: "cbr", preset: "superfast" };
export const AUDIO = { bitrate: 128, channels: 2, sample_rate: 48_000 };

export class Room {
  /**
   * Starts the server and has somebody join.
   *
   * @param {{listen?: string, reach?: string, key?: string, join?: (server: object, name: string) => unknown}} how the
   *   address that it listens at, the one that it is reached by, and the key that opens it, which is not needed on loopback;
   *   `join` has somebody of this name join instead of a bot with a moving picture and a steady tone
   */
  static async open({ listen = "127.0.0.1", reach = listen, key = null, join: comes = null } = {}) {
    const room = new Room();
    room.key = key;
    room.recordings = mkdtempSync(join(scratch, "recordings-"));
    const flags = ["--recordings", room.recordings, "--recordings-spare", "16", "--log-level", "warn,virfie=info"];
    room.server = await startServer([...flags, ...(key ? ["--api-key", key] : [])], { address: listen });
    process.once("exit", () => [room.person, room.server.child].forEach((child) => child?.kill("SIGKILL")));
    room.server.url = `http://${reach}:${new URL(room.server.url).port}`;
    await room.ask("PUT", `/rooms/${ROOM}`, { canvas: CANVAS });
    await room.show(true);
    const token = key ? ["--token", key] : [];
    const bot = ["bot", "--server", room.server.url, "--room", ROOM, "--name", PERSON, "--steady", ...token];
    if (comes) await comes(room.server, PERSON);
    else room.person = spawn(program(), bot, { stdio: "ignore" });
    const inside = async () => (await room.state()).participants.some((one) => one.state === "connected" && one.size);
    await until("somebody is in the room", inside, { within: JOIN_MS, every: 250 });
    return room;
  }

  get url() {
    return this.server.url;
  }

  get pid() {
    return this.server.child.pid;
  }

  ask(method, path, body) {
    return this.server.ask(method, path, body, this.key ? { authorization: `Bearer ${this.key}` } : {});
  }

  state() {
    return this.ask("GET", `/rooms/${ROOM}`);
  }

  /** Shows the person before the background, or the background alone: then nothing moves, and only sound goes on. */
  async show(person) {
    const layer = { id: PERSON, source: { participant: PERSON }, cutout: "none", x: 320, y: 160, width: 640, height: 360 };
    const layout = { canvas: { background: BACKGROUND }, layers: person ? [layer] : [], auto: { mode: "off" } };
    await this.ask("PUT", `/rooms/${ROOM}/layout`, layout);
  }

  /** Adds an output; what of its settings is left out is as for all. WebRTC has its own but one, and recordings of people none. */
  async add(body) {
    const own = { whip: { video: { preset: VIDEO.preset } }, iso: {} };
    const settings = own[body.type] ?? { video: VIDEO, audio: AUDIO };
    const { id } = await this.ask("POST", `/rooms/${ROOM}/outputs`, { ...settings, ...body });
    return id;
  }

  async remove(id) {
    await this.ask("DELETE", `/rooms/${ROOM}/outputs/${id}`);
  }

  /** All outputs by id. */
  async outputs() {
    return new Map((await this.ask("GET", `/rooms/${ROOM}/outputs`)).map((output) => [output.id, output]));
  }

  /** Waits until these are live, and take all that is sent. */
  async live(ids, within = LIVE_MS) {
    await until("all outputs are live", async () => {
      const outputs = await this.outputs();
      const bad = ids.map((id) => outputs.get(id)).filter(({ state, behind }) => state !== "live" || behind);
      if (bad.length === 0) return true;
      throw new Error(bad.map(({ type, state, behind, last_error: error }) => `${type} ${state} ${behind} ${error}`).join("; "));
    }, { within, every: 100 });
  }

  async health() {
    return (await this.state()).health;
  }

  async close() {
    this.person?.kill("SIGTERM");
    return this.server.stop();
  }
}
