// What can happen to the other end of an output, and how it is undone.
//
// The other ends stand in one network namespace and the server in another, with a line between them (`../network/line.mjs`).
// Each has its address or its ports, so that one of them is refused or slowed, and the others are not.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** As in `../network/line.mjs`: some 15 packets at once, and more waits for 300 ms at most. */
const WAITS = ["burst", "20k", "latency", "300ms"];
/** Far more than is sent. */
const ALL = "10gbit";

/** The server's end of the line, and its card. */
export class Ways {
  constructor(namespace, card) {
    Object.assign(this, { namespace, card });
  }

  #tc(...args) {
    return run("ip", ["netns", "exec", this.namespace, "tc", ...args]);
  }

  /** Lets no more than `kilobits` a second of the packets that fit through to the other ends: `tbf` for these alone. */
  async slow(matches, kilobits) {
    const on = ["dev", this.card];
    await this.#tc("qdisc", "replace", ...on, "root", "handle", "1:", "htb", "default", "1");
    for (const id of ["1:1", "1:2"]) {
      await this.#tc("class", "add", ...on, "parent", "1:", "classid", id, "htb", "rate", ALL, "quantum", "60000");
    }
    await this.#tc("qdisc", "add", ...on, "parent", "1:2", "handle", "2:", "tbf", "rate", `${kilobits}kbit`, ...WAITS);
    for (const match of matches) {
      const those = ["u32", ...match.flatMap((words) => ["match", ...words.split(" ")])];
      await this.#tc("filter", "add", ...on, "parent", "1:", "protocol", "ip", "prio", "1", ...those, "flowid", "1:2");
    }
  }

  async unslow() {
    await this.#tc("qdisc", "del", "dev", this.card, "root");
  }

  /** Answers all packets that fit (nft's words) as a machine does on which nothing listens: RST, or that no port is there. */
  async refuse(rules) {
    await run("nft", ["add chain ip line refusing { type filter hook input priority 1; }"]);
    for (const rule of rules) {
      const answer = rule.includes("tcp") ? "tcp reset" : "icmp type port-unreachable";
      await run("nft", [`add rule ip line refusing ${rule} reject with ${answer}`]);
    }
  }

  async unrefuse() {
    await run("nft", ["flush chain ip line refusing"]);
  }
}

/** How long each lasts, in seconds. The system keeps 4 MB for a slow connection before the server notices: 25 s of these. */
export const LASTS = { killed: 8, wedged: 15, refused: 10, slowed: 45 };

/** How each begins and ends, for an end, its place on the line (`tcp`, `udp`, `slow`), and what it gets, in kbit/s. */
export const FAULTS = {
  killed: { begin: (ways, { end }) => end.kill(), end: (ways, { end }) => end.start() },
  wedged: { begin: (ways, { end }) => end.freeze(), end: (ways, { end }) => end.thaw() },
  refused: { begin: (ways, { place }) => ways.refuse(place.refused), end: (ways) => ways.unrefuse() },
  slowed: { begin: (ways, { place, kilobits }) => ways.slow(place.slowed, kilobits / 2), end: (ways) => ways.unslow() },
};
