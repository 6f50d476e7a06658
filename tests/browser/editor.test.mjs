// The layout editor: boxes on the picture are dragged, and the mixed pictures follow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { look, pattern } from "./picture.mjs";
import { artifact } from "./place.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "studio";
const ANN = { x: 80, y: 80, width: 480, height: 270 };

let server;
let browser;
let ann;
let eve;

before(async () => {
  server = await startServer();
  await server.ask("PUT", `/assets/${pattern.name}`, pattern.png());
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await server.ask("PUT", `/rooms/${ROOM}/layout`, {
    canvas: { background: pattern.name },
    layers: [
      { id: "ann", source: { participant: "ann" }, ...ANN },
      { id: "sign", source: { color: "#2040c0" }, x: 1100, y: 40, width: 120, height: 60, z: 3 },
    ],
    auto: { mode: "off" },
  });
  browser = await startBrowser({ clip: "ann" });
  ann = await browser.joined(server, ROOM, "ann");
  eve = await browser.joined(server, ROOM, "eve");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The layer as the server has it. */
async function layer(id) {
  const { layers } = await server.ask("GET", `/rooms/${ROOM}/layout`);
  return layers.find((each) => each.id === id);
}

function box(tab, id) {
  return tab.page.locator(`[data-testid="box"][data-id="${id}"]`);
}

/** How much of this rectangle shows something else than the background. */
function filled(picture, { x, y, width, height }) {
  const inner = { x: Math.round(x) + 12, y: Math.round(y) + 12, width: Math.round(width) - 24, height: Math.round(height) - 24 };
  return 1 - picture.share(inner, pattern.shown);
}

/** Waits until the tab's mix shows somebody in the one rectangle, and the background in the other. */
function shows(tab, there, gone) {
  return until("the picture follows", async () => {
    const picture = await look(tab.mix);
    const [full, empty] = [filled(picture, there), gone ? filled(picture, gone) : 0];
    if (full > 0.97 && empty < 0.03) return picture;
    throw new Error(`${full.toFixed(2)} of the place is filled, ${empty.toFixed(2)} of where it was`);
  });
}

/** Pulls something by canvas pixels, in small steps. */
async function pull(tab, locator, dx, dy, { at = null, steps = 12, hold = null } = {}) {
  const { mouse } = tab.page;
  const scale = (await tab.page.getByTestId("boxes").boundingBox()).width / 1280;
  const { x, y, width, height } = await locator.boundingBox();
  const [fromX, fromY] = at ? [x + at.x * scale, y + at.y * scale] : [x + width / 2, y + height / 2];
  await mouse.move(fromX, fromY);
  await mouse.down();
  await mouse.move(fromX + dx * scale, fromY + dy * scale, { steps });
  await hold?.();
  await mouse.up();
}

test("boxes lie where the layers are", async () => {
  await ann.page.getByTestId("edit").click();
  await eve.page.getByTestId("edit").click();
  await box(ann, "ann").waitFor();
  const surface = await ann.page.getByTestId("boxes").boundingBox();
  const mix = await ann.mix.boundingBox();
  assert.ok(Math.abs(surface.width / surface.height - 16 / 9) < 0.01 && surface.width <= mix.width);
  const scale = surface.width / 1280;
  const shown = await box(ann, "ann").boundingBox();
  assert.ok(Math.abs(shown.x - surface.x - ANN.x * scale) < 1.5, JSON.stringify(shown));
  assert.ok(Math.abs(shown.width - ANN.width * scale) < 1.5, JSON.stringify(shown));
});

test("a dragged box takes the picture along, live, and undo brings it back", async (t) => {
  await shows(eve, ANN);
  const requests = [];
  ann.page.on("request", (request) => request.method() === "PATCH" && requests.push(request.url()));
  let during;
  await pull(ann, box(ann, "ann"), 603, 320, {
    steps: 40,
    hold: async () => {
      during = await until("the change is sent before the button is let go", async () => {
        const now = await layer("ann");
        return Math.abs(now.x - 683) < 3 && now;
      });
    },
  });
  t.diagnostic(`${requests.length} changes were sent while dragging`);
  assert.ok(requests.length > 1 && requests.every((url) => url.endsWith("/layout/layers/ann")));
  const there = await layer("ann");
  assert.deepEqual([there.x, there.y, there.width, there.height], [during.x, during.y, ANN.width, ANN.height]);
  assert.ok(Math.abs(there.x - 683) < 3 && Math.abs(there.y - 400) < 3, JSON.stringify(there));
  const moved = { ...ANN, x: there.x, y: there.y };
  (await shows(eve, moved, ANN)).keep("editor-dragged.png");
  await ann.screenshot(artifact("page-editor-dragged.png"));
  // The JSON says the same.
  await until("the JSON follows", async () => (await ann.page.getByTestId("layout-editor").textContent()).includes(`"x": ${there.x}`));

  await ann.page.keyboard.press("Control+z");
  await shows(eve, ANN, moved);
  assert.equal((await layer("ann")).x, ANN.x);
  await ann.page.keyboard.press("Control+Shift+z");
  await shows(eve, moved, ANN);
  await ann.page.getByTestId("undo").click();
  await shows(eve, ANN, moved);
  await ann.page.getByText("Undone: move of ann").waitFor({ state: "attached" });
});

test("nobody's console has errors", () => {
  assert.deepEqual([...ann.errors, ...eve.errors], []);
});
