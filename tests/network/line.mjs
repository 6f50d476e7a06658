// A line between two networks of their own, as bad as one likes: `server` (10.9.0.1) and `client` (10.9.0.2) are
// network namespaces of the kernel, joined by a pair of virtual cards. Nothing of it touches this machine's own
// network.
//
// Packets are lost where they arrive, as on the way: dropped before they leave, the sender's socket would report it. A
// rate is what the sender's end lets through (tbf): some 15 packets at once, and more waits for 300 ms at most, as in a
// router.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";

const run = promisify(execFile);

const PREFIX = 24;

/**
 * Ends what runs in the namespaces and removes them, as soon as the process at the other end of its standard input
 * closes it or is gone, however that happened. In a session of its own, so that Ctrl-C leaves it its time.
 */
const KEEPER = `
cat >/dev/null
for name in "$@"; do
  pids=$(ip netns pids "$name" 2>/dev/null)
  if [ -n "$pids" ]; then kill -9 $pids; fi
  ip netns del "$name" 2>/dev/null
done
`;

let made = 0;

/** One end: a namespace with one card and an address. */
class End {
  constructor(role, address, card) {
    this.name = `virfie-${role}-${process.pid}-${made}`;
    this.address = address;
    this.card = card;
  }

  /** The command line that runs a program here, for `spawn`. */
  command(program, args) {
    return ["ip", ["netns", "exec", this.name, program, ...args]];
  }

  /** Runs a program here to its end; resolves to what it said. */
  async run(program, ...args) {
    const [file, all] = this.command(program, args);
    return (await run(file, all)).stdout;
  }

  /** Sets up the card, the way to everywhere else, and a place for the rules that lose packets. */
  async up(other) {
    await run("ip", ["-n", this.name, "address", "add", `${this.address}/${PREFIX}`, "dev", this.card]);
    for (const card of [this.card, "lo"]) await run("ip", ["-n", this.name, "link", "set", card, "up"]);
    // Browsers take the card to the rest of the world for theirs.
    await run("ip", ["-n", this.name, "route", "add", "default", "via", other.address]);
    await this.run("nft", "add table ip line");
    await this.run("nft", "add chain ip line arriving { type filter hook input priority 0; }");
  }

  /** Loses so many per cent of the UDP packets that arrive here. */
  async lose(percent) {
    await this.run("nft", "flush chain ip line arriving");
    if (percent === 0) return;
    const share = `numgen random mod 10000 <= ${Math.round(percent * 100) - 1}`;
    await this.run("nft", `add rule ip line arriving iif ${this.card} ip protocol udp ${share} drop`);
  }

  /** Lets no more out of here than `rate`, as tc writes it (`700kbit`); `null`: all. What waits is not lost by it. */
  async limit(rate) {
    const how = rate === null ? ["rate", "1gbit", "burst", "256k"] : ["rate", rate, "burst", "20k"];
    const queue = ["root", "handle", "1:", "tbf", ...how, "latency", "300ms"];
    await this.run("tc", "qdisc", "replace", "dev", this.card, ...queue);
  }
}

/** The line and its two ends. */
export class Line {
  /** Makes one, without faults. Rejects when this machine cannot. */
  static async open() {
    made += 1;
    const line = new Line();
    try {
      const { server, client } = line;
      for (const end of [server, client]) await run("ip", ["netns", "add", end.name]);
      const peer = ["peer", "name", client.card, "netns", client.name];
      await run("ip", ["link", "add", server.card, "netns", server.name, "type", "veth", ...peer]);
      await server.up(client);
      await client.up(server);
      return line;
    } catch (error) {
      await line.close();
      throw error;
    }
  }

  constructor() {
    this.server = new End("server", "10.9.0.1", "to-client");
    this.client = new End("client", "10.9.0.2", "to-server");
    const names = [this.server.name, this.client.name];
    const stdio = ["pipe", "ignore", "ignore"];
    this.keeper = spawn("sh", ["-c", KEEPER, "keeper", ...names], { stdio, detached: true });
    this.gone = once(this.keeper, "exit");
    // Neither keeps this process from ending.
    this.keeper.unref();
    this.keeper.stdin.unref();
  }

  /**
   * Changes the line; what is not named is as without faults.
   *
   * @param {{loss?: number, lossBack?: number, rate?: string | null}} faults `loss`: per cent of the UDP packets to the
   *   client; `lossBack`: of those to the server; `rate`: of everything to the client, as tc writes it
   */
  async set({ loss = 0, lossBack = 0, rate = null } = {}) {
    await Promise.all([this.client.lose(loss), this.server.lose(lossBack), this.server.limit(rate)]);
  }

  /** Ends what still runs at the ends, and removes them. */
  async close() {
    this.keeper.ref();
    this.keeper.stdin.end();
    await this.gone;
  }
}

/** Why there can be no such line here, or `null`. */
export async function whyNoLine() {
  if (process.getuid?.() !== 0) return "needs root, for networks of its own";
  try {
    const line = await Line.open();
    try {
      await line.set({ loss: 5, lossBack: 5, rate: "1mbit" });
    } finally {
      await line.close();
    }
    return null;
  } catch (error) {
    return `needs network namespaces, nftables and tc with tbf: ${error.message.trim().replaceAll("\n", " ")}`;
  }
}
