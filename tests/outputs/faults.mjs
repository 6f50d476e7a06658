// Does to each other end of a room's outputs what happens to them, and prints what the server and the others notice.
//
//   node tests/outputs/faults.mjs PROGRAM [--only rtmp,whip] [--faults killed,slowed]
//
// As root: the server stands at one end of a line between two network namespaces, and this program goes on at the other
// (`faulted.mjs`), where the outputs lead. Half an hour for all. The exit code is 1 when a limit does not hold.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { Line, whyNoLine } from "../network/line.mjs";
import { noRtmp } from "./rtmp.mjs";

const INSIDE = fileURLToPath(new URL("faulted.mjs", import.meta.url));

const [program, ...rest] = process.argv.slice(2);
if (!program) throw new Error("usage: node tests/outputs/faults.mjs PROGRAM [options]; see the top of the file");
const lacks = noRtmp() ?? (await whyNoLine());
if (lacks) throw new Error(`not here: it ${lacks}`);

const line = await Line.open();
try {
  const args = [INSIDE, program, line.server.name, line.server.card, line.server.address, line.client.card, ...rest];
  const inside = spawn(...line.client.command(process.execPath, args), { stdio: "inherit" });
  // It ends by itself what it has begun; the line is closed after it.
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => inside.kill("SIGTERM"));
  const [code] = await once(inside, "exit");
  process.exitCode = code ?? 1;
} finally {
  await line.close();
}
