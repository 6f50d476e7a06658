// Clients of many makes watch a room by WHEP: each sees the right colour and hears the right tone, and those that ask for
// lost packets get them again.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, describe, test } from "node:test";

import { distance } from "../browser/picture.mjs";
import { program } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { until } from "../browser/wait.mjs";
import { Line, whyNoLine } from "../network/line.mjs";
import { ROOM as LINE_ROOM, Studio, TONE } from "../network/studio.mjs";
import { CLIENTS, NotInstalled, watchAs } from "./clients.mjs";

const ROOM = "clients";
/** The whole picture, in a colour that the wrong matrix or range would change. */
const COLOR = [32, 96, 160];
const TOLERANCE = 12;
const SILENT = 2_000;
const LOSS = 5;

/** Runs a client; a test whose client is not installed is skipped, and says so. */
async function seenBy(t, name, wish, end) {
  try {
    const seen = await watchAs(name, { tones: [TONE, SILENT], ...wish }, end);
    t.diagnostic(`${seen.version}: ${seen.codec}, ${seen.width}x${seen.height}, ${seen.fps.toFixed(1)} fps`);
    return seen;
  } catch (error) {
    if (!(error instanceof NotInstalled)) throw error;
    console.log(`SKIPPED: ${name}: ${error.message}`);
    t.skip(error.message);
    return null;
  }
}

function assertHears({ tones: [heard, silent] }) {
  assert.ok(heard > -40 && heard - silent > 25, `${TONE} Hz at ${heard} dB, and nobody's ${SILENT} Hz at ${silent} dB`);
}

describe("on this machine", () => {
  let server;
  let person;

  before(async () => {
    server = await startServer();
    const hex = COLOR.map((value) => value.toString(16).padStart(2, "0")).join("");
    const layout = { canvas: { background: `#${hex}` }, layers: [], auto: { mode: "off" } };
    await server.ask("PUT", `/rooms/${ROOM}`, {});
    await server.ask("PUT", `/rooms/${ROOM}/layout`, layout);
    const args = ["bot", "--server", server.url, "--room", ROOM, "--name", "person", "--steady", "--tone", `${TONE}`];
    person = spawn(program(), args, { stdio: "ignore" });
    const inside = async () => (await server.people(ROOM)).get("person")?.state === "connected";
    await until("somebody is in the room", inside);
  });

  after(async () => {
    if (person?.exitCode === null) {
      person.kill("SIGTERM");
      await once(person, "exit");
    }
    await server?.stop();
  });

  for (const [name, { adapts }] of Object.entries(CLIENTS)) {
    test(`${name} sees and hears the room`, async (t) => {
      const seen = await seenBy(t, name, { endpoint: `${server.url}/whep/${ROOM}`, seconds: 5 });
      if (!seen) return;
      const { color, width, height, fps } = seen;
      assert.ok(distance(color, COLOR) <= TOLERANCE, `the middle is ${color}, and should be ${COLOR}`);
      assertHears(seen);
      assert.ok(fps > 25, `${fps} pictures a second`);
      assert.equal(width * 9, height * 16);
      if (adapts) assert.equal(height, 720, "on a good line, the picture is whole");
    });
  }
});

const skip = (await whyNoLine()) ?? false;
if (skip) console.log(`SKIPPED: no lines that lose packets: it ${skip}`);

describe(`on a line that loses ${LOSS} %`, { skip }, () => {
  let line;
  let studio;

  before(async () => {
    line = await Line.open();
    studio = await Studio.open(line);
    await line.set({ loss: LOSS });
  });

  after(async () => {
    await studio?.close();
    await line?.close();
  });

  for (const [name] of Object.entries(CLIENTS).filter(([, { again }]) => again)) {
    test(`${name} gets again what was lost`, async (t) => {
      const wish = { endpoint: `${studio.url}/whep/${LINE_ROOM}`, token: studio.key, seconds: 8 };
      const seen = await seenBy(t, name, wish, line.client);
      if (!seen) return;
      assert.ok(seen.fps > 25, `${seen.fps} pictures a second`);
      if (seen.retransmitted !== null) assert.ok(seen.retransmitted > 0, "packets came again");
      t.diagnostic(`${seen.retransmitted ?? "not told how many"} packets came again, ${seen.lost} were lost`);
      assertHears(seen);
    });
  }
});
