// The layout editor: boxes on the picture are dragged, and the mixed pictures follow.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { lookSharp, pattern, SHARP_MS } from "./picture.mjs";
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
    const picture = await lookSharp(tab.mix);
    const [full, empty] = [filled(picture, there), gone ? filled(picture, gone) : 0];
    if (full > 0.97 && empty < 0.03) return picture;
    throw new Error(`${full.toFixed(2)} of the place is filled, ${empty.toFixed(2)} of where it was`);
  }, { within: SHARP_MS });
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

test("corners keep the shape, and the round handle turns", async () => {
  const before = await layer("ann");
  await box(ann, "ann").click();
  await pull(ann, ann.page.locator('[data-handle="1,1"]'), 160, 160);
  const larger = await layer("ann");
  assert.deepEqual([larger.x, larger.y], [before.x, before.y]);
  assert.ok(larger.width > 560 && Math.abs(larger.width / larger.height - 16 / 9) < 0.02, JSON.stringify(larger));
  (await shows(eve, { ...ANN, width: larger.width, height: larger.height })).keep("editor-resized.png");

  await pull(ann, ann.page.locator('[data-handle="rotate"]'), 130, 60);
  const turned = await layer("ann");
  assert.ok(turned.rotate > 20 && turned.rotate < 70, JSON.stringify(turned));
  await ann.screenshot(artifact("page-editor-turned.png"));
  await until("the corner of the turned picture is free", async () => (await lookSharp(eve.mix)).share({ x: 82, y: 420, width: 30, height: 30 }, pattern.shown) > 0.9, { within: SHARP_MS });
  await ann.screenshot(artifact("page-editor-turned.png"));
  for (let step = 0; step < 2; step += 1) await ann.page.keyboard.press("Control+z");
  await until("both are undone", async () => JSON.stringify(await layer("ann")) === JSON.stringify(before));
});

test("a box near the middle sticks to it", async () => {
  const { mouse } = ann.page;
  const scale = (await ann.page.getByTestId("boxes").boundingBox()).width / 1280;
  const { x, y } = await box(ann, "ann").boundingBox();
  await mouse.move(x + 60, y + 60);
  await mouse.down();
  // Its middle is then four pixels beside the canvas's.
  const [dx, dy] = [640 - 240 - ANN.x + 4, 360 - 135 - ANN.y + 4];
  await mouse.move(x + 60 + dx * scale, y + 60 + dy * scale, { steps: 10 });
  await ann.page.locator(".guide.x").first().waitFor({ state: "attached" });
  await ann.screenshot(artifact("page-editor-snapped.png"));
  await mouse.up();
  await until("it is in the middle", async () => {
    const now = await layer("ann");
    return now.x === 400 && now.y === 225;
  });
  await ann.page.keyboard.press("Control+z");
  await until("it is undone", async () => (await layer("ann")).x === ANN.x);
});

test("the keyboard moves, sizes, orders and deletes, and says so", async () => {
  await box(ann, "ann").focus();
  for (const key of ["ArrowRight", "ArrowRight", "Shift+ArrowDown", "Control+Shift+ArrowRight"]) await ann.page.keyboard.press(key);
  const moved = await until("the keys are sent", async () => {
    const now = await layer("ann");
    return now.width === ANN.width + 10 && now;
  });
  assert.deepEqual([moved.x, moved.y], [ANN.x + 2, ANN.y + 10]);
  await ann.page.getByTestId("studio-says").getByText(/^ann at 82, 90, 490 by 270/).waitFor({ state: "attached" });
  await ann.page.keyboard.press("]");
  await until("it is in front", async () => (await layer("ann")).z >= 3);
  await ann.page.keyboard.press("Delete");
  await until("it is deleted", async () => !(await layer("ann")));
  await shows(eve, { x: 1112, y: 52, width: 96, height: 36 }, ANN);
  // By the layout and not by the button, which is disabled a moment after the last step is undone.
  const place = async () => {
    const now = await layer("ann");
    return now && JSON.stringify([now.x, now.y, now.width, now.z ?? 0]);
  };
  const start = JSON.stringify([ANN.x, ANN.y, ANN.width, 0]);
  while ((await place()) !== start) {
    const before = JSON.stringify(await server.ask("GET", `/rooms/${ROOM}/layout`));
    await ann.page.getByTestId("undo").click();
    await until("a step is undone", async () => JSON.stringify(await server.ask("GET", `/rooms/${ROOM}/layout`)) !== before);
  }
  await until("nothing is left to undo", () => ann.page.getByTestId("undo").isDisabled());
  const back = await layer("ann");
  assert.deepEqual([back.x, back.y, back.width, back.z ?? 0], [ANN.x, ANN.y, ANN.width, 0]);
});

test("two editors see each other's changes, and both stay", async () => {
  const { mouse } = ann.page;
  const scale = (await ann.page.getByTestId("boxes").boundingBox()).width / 1280;
  const { x, y } = await box(ann, "ann").boundingBox();
  await mouse.move(x + 40, y + 40);
  await mouse.down();
  await mouse.move(x + 40 + 100 * scale, y + 40 + 300 * scale, { steps: 10 });
  // While ann holds hers, eve moves the other one.
  await pull(eve, box(eve, "sign"), -300, 150);
  const at = async (tab, id) => {
    const surface = await tab.page.getByTestId("boxes").boundingBox();
    const shown = await box(tab, id).boundingBox();
    return [shown.x - surface.x, shown.y - surface.y].map((side) => side / scale);
  };
  const near = ([a, b], [c, d]) => Math.hypot(a - c, b - d) < 12;
  await until("ann sees the sign move", async () => near(await at(ann, "sign"), [800, 190]));
  await until("eve sees ann's box move", async () => near(await at(eve, "ann"), [180, 380]));
  await mouse.up();
  await until("both stay", async () => near([(await layer("ann")).x, (await layer("ann")).y], [180, 380]) && (await layer("sign")).x < 820);
  await Promise.all([ann.screenshot(artifact("page-editor-first.png")), eve.screenshot(artifact("page-editor-second.png"))]);
  // Each undoes their own.
  await ann.page.getByTestId("undo").click();
  await until("ann's is undone", async () => (await layer("ann")).x === ANN.x);
  assert.ok((await layer("sign")).x < 820);
});

test("fields change the layer: cut-out, mirror, opacity, another source", async () => {
  await box(ann, "ann").click();
  await ann.page.getByTestId("layer-cutout").selectOption("person");
  await ann.page.getByTestId("layer-mirror").check();
  await ann.page.getByTestId("layer-opacity").fill("50");
  await ann.page.getByTestId("layer-radius").fill("20");
  await until("the layer is as its fields", async () => {
    const { cutout, mirror, opacity, radius } = await layer("ann");
    return cutout === "person" && mirror && opacity === 0.5 && radius === "20%";
  });
  await ann.page.getByTestId("layer-who").selectOption('{"participant":"eve"}');
  await until("it shows eve", async () => (await layer("ann")).source.participant === "eve");
  await ann.screenshot(artifact("page-editor-fields.png"));
  for (let step = 0; step < 5; step += 1) await ann.page.keyboard.press("Control+z");
  await until("all is undone", async () => {
    const now = await layer("ann");
    return now.source.participant === "ann" && now.cutout === undefined && now.mirror === undefined && now.opacity === undefined;
  });
});

test("who is placed automatically gets a place of their own by being dragged", async () => {
  await server.ask("PUT", `/rooms/${ROOM}/layout`, { canvas: { background: pattern.name }, auto: { mode: "grid", cutout: "none" } });
  const auto = (name) => ann.page.locator(`[data-testid="auto-box"][data-id="${name}"]`);
  await auto("eve").waitFor();
  assert.equal(await ann.page.getByTestId("auto-box").count(), 2);
  await ann.screenshot(artifact("page-editor-auto.png"));
  await pull(ann, auto("eve"), -60, 120, { steps: 6 });
  const eves = await until("eve's layer is where it was let go", async () => {
    const now = await layer("eve");
    return now?.y > 290 && now;
  });
  assert.deepEqual(eves.source, { participant: "eve" });
  assert.ok(Math.hypot(eves.x - (646 - 60), eves.y - (182 + 120)) < 12, JSON.stringify(eves));
  assert.ok(Math.abs(eves.width / eves.height - 16 / 9) < 0.02, JSON.stringify(eves));
  await box(ann, "eve").waitFor();
  assert.equal(await ann.page.getByTestId("auto-box").count(), 1);
  await ann.page.keyboard.press("Control+z");
  await until("she is placed automatically again", async () => !(await layer("eve")));
});

test("layers are added from the menu", async () => {
  const add = async (text) => {
    await ann.page.getByTestId("add").click();
    await ann.page.locator(`[role=menuitem][data-text="${text}"]`).click();
  };
  await ann.page.getByTestId("add").click();
  await ann.screenshot(artifact("page-editor-menu.png"));
  await ann.page.keyboard.press("Escape");
  await add("Colour");
  await add("Text");
  await add("Place for the next person");
  await add(pattern.name);
  await until("all four are there", async () => (await server.ask("GET", `/rooms/${ROOM}/layout`)).layers.length === 4);
  await ann.page.getByTestId("layer-select").selectOption("text");
  await ann.page.getByTestId("layer-text").fill("Good evening");
  await until("the text is the layer's", async () => (await layer("text")).source.text === "Good evening");
  await ann.screenshot(artifact("page-editor-added.png"));
  await ann.page.getByTestId("layouts").click();
  await ann.screenshot(artifact("page-editor-layouts.png"));
  await ann.page.locator('[role=menuitem][data-text="Picture in picture"]').click();
  await until("the ready layout is there", async () => (await server.ask("GET", `/rooms/${ROOM}/layout`)).layers.map(({ id }) => id).join() === "host,guest");
  await ann.page.getByTestId("layouts").click();
  await ann.page.locator('[role=menuitem][data-text="News desk"]').click();
  await until("the news desk is there", async () => (await server.ask("GET", `/rooms/${ROOM}/layout`)).layers.some(({ id }) => id === "headline"));
  await until("its band is seen", async () => {
    const [red, green, blue] = (await lookSharp(eve.mix)).at(1200, 600);
    return red > 110 && green < 60 && blue < 60;
  }, { within: SHARP_MS });
  await ann.screenshot(artifact("page-editor-news-desk.png"));
  await ann.page.getByTestId("undo").click();
  await ann.page.getByTestId("undo").click();
  await until("the layers are back", async () => (await layer("text"))?.source.text === "Good evening");
});

test("nobody's console has errors", () => {
  assert.deepEqual([...ann.errors, ...eve.errors], []);
});
