// Measures how soon a viewer who comes sees a picture: one after another watches a running room in one browser.
//
//   VIRFIE_BIN=…/virfie node first.mjs [--viewers 20]
//
// A measurement, not a test. The time counts from when the connection is up, and the encoder runs already.

import { parseArgs } from "node:util";

import { startBrowser } from "./browser.mjs";
import { quantile } from "./clock.mjs";
import { plainPage, watch } from "./peers.mjs";
import { startServer } from "./server.mjs";

const ROOM = "first";

const { values: options } = parseArgs({ options: { viewers: { type: "string", default: "20" } } });

const server = await startServer();
const browser = await startBrowser({ clip: "ann" });
try {
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  const ann = await browser.joined(server, ROOM, "ann");
  await ann.firstFrame();
  const all = [];
  for (let count = 0; count < Number(options.viewers); count += 1) {
    const viewer = await plainPage(browser, server);
    await watch(viewer, ROOM);
    all.push(await viewer.firstFrame());
    await viewer.page.context().close();
  }
  all.sort((one, other) => one - other);
  const ms = (share) => quantile(all, share).toFixed(0);
  console.log(`first picture of ${all.length} viewers, ms: median ${ms(0.5)}, p95 ${ms(0.95)}, worst ${ms(1)}`);
} finally {
  await browser.close();
  await server.stop();
}
