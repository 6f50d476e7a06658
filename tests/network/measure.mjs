// Prints how receivers fare on bad lines, as a table.
//
//   VIRFIE_BIN=…/virfie node measure.mjs [--only 'page'] [--lines '700 kbit/s, 200 kbit/s'] [--json]
//
// `--only`: receivers whose name has this; `--lines`: these lines, in this order. What must hold and does not is
// reported under the table; the exit code is 0 all the same: this is a measurement.

import { parseArgs } from "node:util";

import { ARRIVALS, LINES, misses } from "./lines.mjs";
import { RECEIVERS } from "./receivers.mjs";
import { Scene } from "./scene.mjs";

const { values: options } = parseArgs({
  options: { only: { type: "string", default: "" }, lines: { type: "string" }, json: { type: "boolean" } },
});

const COLUMNS = {
  receiver: (row) => row.receiver,
  line: (row) => row.line,
  "fps decoded": (row) => row.fps.toFixed(1),
  "fps shown": (row) => row.shown.toFixed(1),
  height: ({ lowest, highest }) => {
    if (lowest > highest) return "none";
    return lowest === highest ? `${lowest}` : `${lowest}–${highest}`;
  },
  "longest freeze, ms": (row) => row.freezeMs.toFixed(0),
  "sound made up, %": (row) => row.made.toFixed(1),
  "longest gap, ms": (row) => row.gapMs.toFixed(0),
  "came again": (row) => `${row.retransmitted}`,
  "keyframes (asked)": (row) => `${row.keyframes} (${row.plis})`,
  "kbit/s": (row) => row.kbps.toFixed(0),
  "round trip, ms": (row) => row.roundTripMs.toFixed(0),
  "buffer, ms": (row) => row.bufferMs.toFixed(0),
  "first picture, ms": (row) => row.firstMs.toFixed(0),
  "720p again, s": (row) => (row.recoverMs === undefined ? "" : (row.recoverMs / 1_000).toFixed(1)),
  "other's fps": (row) => row.otherFps.toFixed(1),
  "other's height": (row) => `${row.otherLowest}`,
};

function tell(cells) {
  console.log(`| ${cells.join(" | ")} |`);
}

/** The series of lines that each receiver goes through, each with a connection of its own. */
const series = options.lines
  ? [options.lines.split(",").map((name) => find(name.trim()))]
  : [LINES, ...ARRIVALS.map((line) => [line])];

function find(name) {
  const all = [...LINES, ...ARRIVALS];
  const found = all.find((line) => line.name === name);
  if (!found) throw new Error(`no line "${name}": there are ${all.map((line) => line.name).join(", ")}`);
  return found;
}

const scene = await Scene.open();
const wrong = [];
try {
  if (!options.json) {
    tell(Object.keys(COLUMNS));
    tell(Object.keys(COLUMNS).map((_, at) => (at < 2 ? "---" : "--:")));
  }
  for (const receiver of Object.keys(RECEIVERS).filter((name) => name.includes(options.only))) {
    for (const steps of series) {
      try {
        await scene.receive(receiver, steps, (line, measured) => {
          const row = { receiver, line: line.name, ...measured };
          if (options.json) console.log(JSON.stringify(row));
          else tell(Object.values(COLUMNS).map((write) => write(row)));
          wrong.push(...misses(line, measured).map((said) => `${receiver}, ${line.name}: ${said}`));
        });
      } catch (error) {
        wrong.push(`${receiver}, from ${steps[0].name} on: ${error.message}`);
      }
    }
  }
} finally {
  await scene.close();
}
if (!options.json) console.log(`\n${wrong.map((said) => `- ${said}\n`).join("") || "All of it holds.\n"}`);
