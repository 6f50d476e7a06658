// Opens event streams that are never read, has the room change again and again, and prints what the server holds for
// them.
//
//   node tests/soak/listeners.mjs PROGRAM [--streams 800] [--changes 400] [--layout-kb 64] [--seconds 75] [--most-mb 150]
//       [--serve "--flag value"]
//
// Each reads as far as the status of the answer and no more. `--layout-kb`: size of the layout that every change puts,
// and every event reports; 64 at most. After the changes it waits `--seconds`, within which the server is to close
// those who take nothing, then closes the rest. The exit code is 1 when memory ever grows by more than `--most-mb`,
// when a stream is still open at the end, or when a new listener, who reads, does not get in.

import { connect } from "node:net";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";

import { startServer } from "../browser/server.mjs";
import { inTime, until } from "../browser/wait.mjs";
import { used } from "../network/used.mjs";

const ROOM = "soak";
/** How many come at once. */
const AT_ONCE = 50;
const ANSWER_MS = 20_000;
const SETTLE_MS = 5_000;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    streams: { type: "string", default: "800" },
    changes: { type: "string", default: "400" },
    "layout-kb": { type: "string", default: "64" },
    seconds: { type: "string", default: "75" },
    "most-mb": { type: "string", default: "150" },
    serve: { type: "string", default: "" },
  },
});
const [program] = positionals;
if (!program) throw new Error("usage: node tests/soak/listeners.mjs PROGRAM [options]; see the top of the file");
process.env.VIRFIE_BIN = resolve(program);
const [streams, changes, layoutKb, seconds, mostMb] =
  ["streams", "changes", "layout-kb", "seconds", "most-mb"].map((name) => Number(options[name]));

/** A listener that does not listen: resolves once the answer has begun, or the server has refused it. */
async function open(server) {
  const { hostname, port } = new URL(server.url);
  const socket = connect({ host: hostname, port: Number(port), highWaterMark: 1 });
  const listener = { socket, told: "nothing" };
  socket.on("error", () => {});
  const answered = new Promise((done) => {
    socket.once("data", (bytes) => {
      listener.told = /^HTTP\/1.1 (\d+)/.exec(bytes.toString("latin1"))?.[1] ?? "nonsense";
      socket.pause();
      done();
    });
    socket.once("error", ({ code }) => {
      listener.told = code;
      done();
    });
    socket.once("close", done);
  });
  socket.write(`GET /api/v1/rooms/${ROOM}/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`);
  await inTime("an answer begins", answered, ANSWER_MS);
  return listener;
}

/** A layout of about this size that differs from all before it. */
function layout(number) {
  const layers = Array.from({ length: Math.min(64, Math.max(1, layoutKb)) }, (_, index) => ({
    id: `text-${index}`,
    source: { text: `${index ? "" : number} `.padEnd(1_000, "x"), size: 4 },
    opacity: 0,
  }));
  return { layers, auto: { mode: "off" } };
}

const server = await startServer(["--log-level", "warn", ...options.serve.split(" ").filter(Boolean)]);
process.once("exit", () => server.child.kill("SIGKILL"));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
const listeners = [];
try {
  await server.ask("PUT", `/rooms/${ROOM}`, { canvas: { width: 320, height: 180, fps: 10 } });
  await server.ask("PUT", `/rooms/${ROOM}/layout`, layout(0));
  await pause(SETTLE_MS);
  console.log("| | memory, MB | threads | descriptors | connections |\n|---|--:|--:|--:|--:|");
  const before = used(server.child.pid);
  let most = before.memory;
  const connections = async () =>
    /^virfie_http_connections (\S+)/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1] ?? "?";
  const show = async (what) => {
    const { memory, threads, descriptors } = used(server.child.pid);
    most = Math.max(most, memory);
    console.log(`| ${what} | ${memory.toFixed(1)} | ${threads} | ${descriptors} | ${await connections()} |`);
  };
  await show("before");
  while (listeners.length < streams) {
    const batch = Math.min(AT_ONCE, streams - listeners.length);
    listeners.push(...(await Promise.all(Array.from({ length: batch }, () => open(server)))));
  }
  await show(`${streams} streams`);
  for (let change = 1; change <= changes; change += 1) {
    await server.ask("PUT", `/rooms/${ROOM}/layout`, layout(change));
    most = Math.max(most, used(server.child.pid).memory);
    if (change % Math.ceil(changes / 4) === 0) await show(`${change} changes`);
  }
  const feed = await server.events(ROOM);
  await until("one who reads hears of the room", () => feed.seen.length > 0);
  await feed.close();
  await pause(seconds * 1_000);
  await show(`${seconds} s later`);
  const counts = [...new Set(listeners.map((one) => one.told))].map((one) => {
    return `${listeners.filter((other) => other.told === one).length} got ${one}`;
  });
  console.log(`\n${counts.join(", ")}; a listener who reads got in`);
  const left = Number(await connections());
  // Those of this program's own requests may be open.
  if (left > 8) {
    console.log(`${left} connections are open still`);
    process.exitCode = 1;
  }
  for (const { socket } of listeners) socket.destroy();
  await pause(SETTLE_MS);
  await show("after");
  console.log(`\nmemory grew by ${(most - before.memory).toFixed(1)} MB at most`);
  if (most - before.memory > mostMb) process.exitCode = 1;
} finally {
  for (const { socket } of listeners) socket.destroy();
  await server.stop();
}
