// Clients of many makes at a room: those that send are seen and heard in its mix, and those that watch see its colour and
// hear its tone.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { after, before, describe, test } from "node:test";

import { startBrowser } from "../browser/browser.mjs";
import { plainPage, watch } from "../browser/peers.mjs";
import { distance, look } from "../browser/picture.mjs";
import { program } from "../browser/place.mjs";
import { startServer } from "../browser/server.mjs";
import { hears } from "../browser/tones.mjs";
import { until } from "../browser/wait.mjs";
import { CLIENTS, sendAs, watchAs } from "./clients.mjs";
import { assertHears, skipUnlessInstalled, SILENT } from "./verdict.mjs";

const TOLERANCE = 12;

function hexadecimal(color) {
  return `#${color.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

describe("senders", () => {
  const ROOM = "senders";
  const SENDER = "sender";
  const EMPTY = [16, 16, 16];
  let server;
  let browser;
  let audience;

  before(async () => {
    server = await startServer();
    const canvas = { width: 640, height: 360, background: hexadecimal(EMPTY) };
    const layers = [{ id: SENDER, source: { participant: SENDER }, width: "100%", height: "100%" }];
    await server.ask("PUT", `/rooms/${ROOM}`, {});
    await server.ask("PUT", `/rooms/${ROOM}/layout`, { canvas, layers, auto: { mode: "off" } });
    browser = await startBrowser();
    audience = await plainPage(browser, server);
    await watch(audience, ROOM);
  });

  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** The room's whole picture is of a colour, for those who watch it. */
  const shows = (what, color) =>
    until(`the room shows ${what}`, async () => {
      const picture = await look(audience.mix);
      const { width, height } = picture;
      const [middle, corner] = [picture.at(width / 2, height / 2), picture.at(width / 8, height / 8)];
      if ([middle, corner].every((seen) => distance(seen, color) <= TOLERANCE)) return middle;
      throw new Error(`the middle is ${middle}, the corner ${corner}, and should be ${color}`);
    });

  const senders = Object.entries(CLIENTS).filter(([, { sends }]) => sends);
  for (const [at, [name]] of senders.entries()) {
    // Nobody is taken for the one before.
    const color = [200 - 9 * at, 40 + 13 * at, at % 2 ? 60 : 160];
    const tone = 500 + 90 * at;

    test(`${name} is seen and heard in the room`, async (t) => {
      const wish = { endpoint: `${server.url}/whip/${ROOM}?name=${SENDER}`, color, tone };
      const sender = await skipUnlessInstalled(t, name, () => sendAs(name, wish));
      if (!sender) return;
      try {
        const middle = await shows("the sender's colour", color);
        const decibels = await hears("the audience", audience.mix, tone, SILENT);
        t.diagnostic(`${sender.version}: ${sender.codec}, ${middle}, ${decibels.toFixed(0)} dB above nothing`);
      } catch (error) {
        const { participants } = await server.ask("GET", `/rooms/${ROOM}`);
        throw new Error(`${error.message}\n${JSON.stringify(participants)}\n${sender.log()}\n${server.log.slice(-4_000)}`);
      } finally {
        await sender.leave();
      }
      await until("the room is empty", async () => (await server.people(ROOM)).size === 0);
      await shows("nobody", EMPTY);
    });
  }
});

// Each of them waits most of the time.
describe("viewers", { concurrency: 2 }, () => {
  const ROOM = "viewers";
  /** The whole picture, in a colour that the wrong matrix or range would change. */
  const COLOR = [32, 96, 160];
  const TONE = 880;
  /** Not loopback, if there is another: some clients reach a server there by no address that they have. */
  const all = Object.values(networkInterfaces()).flat();
  const address = all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
  const token = randomBytes(16).toString("hex");
  const headers = { authorization: `Bearer ${token}` };
  let server;
  let person;

  before(async () => {
    server = await startServer(["--api-key", token], { address });
    const layout = { canvas: { background: hexadecimal(COLOR) }, layers: [], auto: { mode: "off" } };
    await server.ask("PUT", `/rooms/${ROOM}`, {}, headers);
    await server.ask("PUT", `/rooms/${ROOM}/layout`, layout, headers);
    const where = ["--server", server.url, "--token", token, "--room", ROOM];
    const args = ["bot", ...where, "--name", "person", "--steady", "--tone", `${TONE}`];
    person = spawn(program(), args, { stdio: "ignore" });
    const inside = async () => {
      const { participants } = await server.ask("GET", `/rooms/${ROOM}`, undefined, headers);
      return participants[0]?.state === "connected";
    };
    await until("somebody is in the room", inside);
  });

  after(async () => {
    if (person?.exitCode === null) {
      person.kill("SIGTERM");
      await once(person, "exit");
    }
    await server?.stop();
  });

  const viewers = Object.entries(CLIENTS).filter(([, { watches }]) => watches);
  for (const [name, { adapts, loopback = true }] of viewers) {
    const skip = address === "127.0.0.1" && !loopback && "this machine has no address but loopback, which it cannot reach";
    if (skip) console.log(`SKIPPED: ${name}: ${skip}`);
    test(`${name} sees and hears the room`, { skip }, async (t) => {
      const wish = { endpoint: `${server.url}/whep/${ROOM}`, token, seconds: 2, tones: [TONE, SILENT] };
      const seen = await skipUnlessInstalled(t, name, () => watchAs(name, wish));
      if (!seen) return;
      const { version, codec, color, width, height, fps } = seen;
      t.diagnostic(`${version}: ${codec}, ${width}x${height}, ${color}, ${fps.toFixed(1)} fps, ${seen.tones} dB`);
      assert.ok(distance(color, COLOR) <= TOLERANCE, `the middle is ${color}, and should be ${COLOR}`);
      assertHears(seen, TONE);
      assert.ok(fps > 10, `${fps} pictures a second`);
      assert.equal(width * 9, height * 16);
      if (adapts) assert.equal(height, 720, "on a good line, the picture is whole");
    });
  }
});
