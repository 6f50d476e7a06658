// Many receivers of one room on this machine, and what each of them gets.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { program } from "../browser/place.mjs";
import { inTime, until } from "../browser/wait.mjs";

const JOIN_MS = 60_000;
/** How many come at once. */
const AT_ONCE = 10;

/** Receivers made with libdatachannel, in this process: they work with any server; `sound` as in `DataChannelViewer`. */
class Peers {
  members = [];

  static async open(server, room, count, { sound }) {
    const { DataChannelViewer } = await import("../clients/datachannel.mjs");
    const endpoint = `${server.url}/whep/${room}`;
    const peers = new Peers();
    try {
      while (peers.members.length < count) {
        const batch = Math.min(AT_ONCE, count - peers.members.length);
        const joining = Array.from({ length: batch }, () => DataChannelViewer.watch(endpoint, { sound }));
        const joined = await Promise.allSettled(joining);
        peers.members.push(...joined.flatMap(({ value }) => value ?? []));
        for (const { reason } of joined) if (reason) throw reason;
      }
      const all = () => peers.members.every(({ got }) => got.video.frames > 0);
      await until("every receiver gets pictures", all, { within: JOIN_MS });
      return peers;
    } catch (error) {
      await peers.close();
      throw error;
    }
  }

  /** Pictures and bytes that each has got so far, and what else is known. */
  tally() {
    return this.members.map(({ got }) => ({ frames: got.video.frames, bytes: got.video.bytes + got.audio.bytes }));
  }

  async close() {
    await Promise.all(this.members.map((member) => member.leave().catch(() => {})));
  }
}

/** The program's own receivers, in one process of it. */
class Bots {
  /** The newest report of each, with sums since the start. */
  reports = new Map();

  static async open(server, room, count) {
    const bots = new Bots(server, room, count);
    try {
      const all = () => {
        if (bots.exited) throw new Error(`the bots ended: ${bots.log}`);
        return bots.reports.size === count && bots.tally().every(({ frames }) => frames > 0);
      };
      await until("every receiver gets pictures", all, { within: JOIN_MS });
      return bots;
    } catch (error) {
      await bots.close();
      throw error;
    }
  }

  log = "";

  constructor(server, room, count) {
    const flags = ["--server", server.url, "--room", room, "--receive-only", "--count", `${count}`];
    this.child = spawn(program(), ["bot", ...flags], { stdio: ["ignore", "pipe", "pipe"] });
    this.child.stderr.setEncoding("utf8").on("data", (text) => (this.log += text));
    this.ended = new Promise((resolve) => {
      this.child.once("exit", () => resolve((this.exited = true)));
    });
    createInterface({ input: this.child.stdout }).on("line", (text) => {
      if (!text.startsWith("{")) return;
      const { bot, frames_received, kbps_received, ...rest } = JSON.parse(text);
      const { frames = 0, bytes = 0 } = this.reports.get(bot) ?? {};
      this.reports.set(bot, { ...rest, frames: frames + frames_received, bytes: bytes + kbps_received * 125 });
    });
  }

  tally() {
    return [...this.reports.values()];
  }

  async close() {
    if (this.exited) return;
    this.child.kill("SIGTERM");
    try {
      await inTime("the bots end", this.ended, 10_000);
    } finally {
      if (!this.exited) this.child.kill("SIGKILL");
    }
  }
}

/** The kinds of receivers. */
export const CROWDS = { libdatachannel: Peers, bots: Bots };
