// What producers have beside the boxes: the JSON, scenes, images, outputs; and what others do not see.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { real } from "./clips.mjs";
import { distance, lookSharp, pattern, SHARP_MS } from "./picture.mjs";
import { artifact, scratch } from "./place.mjs";
import { startServer } from "./server.mjs";
import { until } from "./wait.mjs";

const ROOM = "show";
const KEY = "only-for-this-test";
const WHOLE = { x: 0, y: 0, width: 1280, height: 720 };

let server;
let browser;
let ann;
let eve;

before(async () => {
  server = await startServer();
  await server.ask("PUT", `/rooms/${ROOM}`, {});
  await plain("#204060");
  browser = await startBrowser({ clip: "ann" });
  ann = await browser.joined(server, ROOM, "ann");
  eve = await browser.joined(server, ROOM, "eve");
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Shows one colour and nobody. */
function plain(background) {
  return server.ask("PUT", `/rooms/${ROOM}/layout`, { canvas: { background }, auto: { mode: "off" } });
}

/** The scene of this name in ann's strip. */
function card(name) {
  return ann.page.locator(`[data-testid="scene"][data-name="${name}"]`);
}

/** The names of the stored scenes. */
async function sceneNames() {
  return (await server.ask("GET", `/rooms/${ROOM}/scenes`)).map(({ name }) => name);
}

/** Waits until the tab's mix is of this colour all over. */
function isPlain(tab, color) {
  return until(`the mix is ${color}`, async () => {
    const picture = await lookSharp(tab.mix);
    const share = picture.share(WHOLE, (seen) => distance(seen, color) < 12);
    if (share > 0.99) return picture;
    throw new Error(`${share} of the picture, ${picture.at(640, 360)} in the middle`);
  }, { within: SHARP_MS });
}

test("a wrong layout shows its error at its line", async () => {
  const editor = ann.page.locator(".cm-content");
  await editor.click();
  await ann.page.keyboard.press("Control+a");
  await ann.page.keyboard.insertText('{\n  "layers": [\n    {"id": "a",\n     "source": {"slot": 1},\n     "opacity": 7}\n  ]\n}');
  // Already while it is typed.
  await ann.page.locator(".cm-lint-marker-error").first().waitFor();
  const before = await server.ask("GET", `/rooms/${ROOM}/layout`);
  await ann.page.getByTestId("layout-apply").click();
  const error = ann.page.locator('[data-testid="layout-errors"] button');
  await error.waitFor();
  assert.deepEqual([await error.getAttribute("data-line"), await error.getAttribute("data-pointer")], ["5", "/layers/0/opacity"]);
  await ann.screenshot(artifact("page-json-error.png"));
  assert.deepEqual(await server.ask("GET", `/rooms/${ROOM}/layout`), before);
  await ann.page.getByTestId("layout-revert").click();
});

test("the JSON is completed from the schema, and what is applied is shown and can be undone", async () => {
  const editor = ann.page.locator(".cm-content");
  const write = async (text) => {
    await editor.click();
    await ann.page.keyboard.press("Control+a");
    await ann.page.keyboard.insertText(text);
  };
  await write('{"layers": [{"id": "a", "source": {"slot": 1}, ');
  await ann.page.keyboard.type('"op');
  const options = ann.page.locator(".cm-tooltip-autocomplete li");
  await options.first().waitFor();
  assert.match(await options.first().textContent(), /^opacity/);
  await ann.screenshot(artifact("page-json-completion.png"));
  await ann.page.keyboard.press("Escape");
  await write('{"layers": [{"id": "a", "source": {"slot": 1}, "fit": ');
  await ann.page.keyboard.type('"co');
  await options.first().waitFor();
  assert.deepEqual((await options.allTextContents()).map((text) => text.slice(0, 5)), ["conta", "cover"]);
  await ann.page.keyboard.press("Escape");
  await write('{"canvas": {"background": "#c02020"}, "auto": {"mode": "off"}}');
  await ann.page.getByTestId("layout-apply").click();
  await isPlain(eve, [0xc0, 0x20, 0x20]);
  await ann.page.getByTestId("edit").click();
  await ann.page.getByTestId("undo").click();
  await isPlain(eve, [0x20, 0x40, 0x60]);
  await ann.page.getByTestId("edit").click();
});

test("a scene of the strip changes the picture for everybody", async () => {
  const store = async (name) => {
    await ann.page.getByTestId("scene-store").click();
    await ann.page.getByTestId("scene-name").fill(name);
    await ann.page.keyboard.press("Enter");
    await card(name).waitFor();
  };
  await store("Blue");
  await plain("#208040");
  await isPlain(eve, [0x20, 0x80, 0x40]);
  await store("Green");
  assert.deepEqual(await sceneNames(), ["Blue", "Green"]);
  await card("Blue").click();
  await isPlain(eve, [0x20, 0x40, 0x60]);
  await eve.page.locator('.scene[data-active="true"] [data-name="Blue"]').waitFor();
  await ann.page.getByTestId("scene-next").click();
  await isPlain(eve, [0x20, 0x80, 0x40]);
  await ann.page.getByTestId("scene-previous").click();
  await isPlain(eve, [0x20, 0x40, 0x60]);
  await ann.screenshot(artifact("page-scenes.png"));
  await ann.page.locator(".scene", { hasText: "Green" }).getByTestId("scene-menu").click();
  await ann.page.locator('[role=menuitem][data-text="Delete"]').click();
  await card("Green").waitFor({ state: "detached" });
});

test("a new scene is named while others change scenes", async () => {
  const { page } = ann;
  const found = await sceneNames();
  // No reading of the scenes is answered before there is a newer one, which somebody else causes.
  const held = [];
  const hold = (route) => (route.request().method() === "GET" ? held.push(route) : route.fallback());
  await page.route(`**/rooms/${ROOM}/scenes*`, hold);
  await page.getByTestId("scene-store").click();
  await until("the page reads the scenes after it has stored one and has heard of it", () => held.length >= 2);
  await server.ask("PUT", `/rooms/${ROOM}/scenes/Other`);
  await until("the page reads the scenes that somebody else changed", () => held.length >= 3);
  await page.unroute(`**/rooms/${ROOM}/scenes*`, hold);
  for (const route of held) await route.fallback();
  const name = page.getByTestId("scene-name");
  await name.fill("Mine");
  // One who is writing is left alone.
  await server.ask("DELETE", `/rooms/${ROOM}/scenes/Other`);
  await card("Other").waitFor({ state: "detached" });
  assert.equal(await name.inputValue(), "Mine");
  await page.keyboard.press("Enter");
  await card("Mine").waitFor();
  assert.deepEqual(await sceneNames(), [...found, "Mine"]);
  await server.ask("DELETE", `/rooms/${ROOM}/scenes/Mine`);
  await card("Mine").waitFor({ state: "detached" });
});

test("the room is saved as a file and loaded again", async () => {
  await ann.page.getByTestId("room-menu").click();
  const [download] = await Promise.all([
    ann.page.waitForEvent("download"),
    ann.page.locator('[role=menuitem][data-text="Save the room as a file"]').click(),
  ]);
  const file = join(scratch, "room.json");
  await download.saveAs(file);
  await plain("#802020");
  await isPlain(eve, [0x80, 0x20, 0x20]);
  await ann.page.getByTestId("room-file").setInputFiles(file);
  await isPlain(eve, [0x20, 0x40, 0x60]);
});

test("an uploaded background appears, and a dropped image becomes a layer", async () => {
  const file = join(scratch, "wall.png");
  writeFileSync(file, pattern.png());
  await ann.page.locator("#images > summary").click();
  await ann.page.getByTestId("images-file").setInputFiles(file);
  const tile = ann.page.locator('.image-tile[data-name="wall.png"]');
  await tile.getByTestId("use-background").click();
  await until("the background is the upload", async () => (await lookSharp(eve.mix)).share(WHOLE, pattern.shown) > 0.99, { within: SHARP_MS });
  await tile.locator("img[src]").waitFor();
  await tile.scrollIntoViewIfNeeded();
  await ann.screenshot(artifact("page-images.png"));

  const bytes = [...pattern.png()];
  await ann.page.getByTestId("mix").evaluate((mix, bytes) => {
    const data = new DataTransfer();
    data.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
    for (const type of ["dragover", "drop"]) mix.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
  }, bytes);
  await until("it is a layer", async () => {
    const { layers } = await server.ask("GET", `/rooms/${ROOM}/layout`);
    return layers.length === 1 && layers[0].source.image === "dropped.png";
  });
  await ann.page.getByTestId("undo").click();
  await until("the layer is gone", async () => (await server.ask("GET", `/rooms/${ROOM}/layout`)).layers.length === 0);
  await ann.page.locator('.image-tile[data-name="dropped.png"]').getByTestId("delete-asset").click();
  await ann.page.locator('.image-tile[data-name="dropped.png"]').waitFor({ state: "detached" });
  const broken = join(scratch, "broken.png");
  writeFileSync(broken, "no picture");
  await ann.page.getByTestId("images-file").setInputFiles(broken);
  await ann.page.getByTestId("uploads").getByText("broken.png was not uploaded").waitFor();
  // The browser itself reports every refused request.
  ann.errors = ann.errors.filter((text) => !/status of 4\d\d/.test(text));
});

test("the page records, shows what is on air, and fetches the file", async () => {
  await ann.page.locator("#outputs > summary").click();
  await ann.page.getByTestId("output-record").click();
  const state = ann.page.getByTestId("output-state");
  await state.getByText(/^live, \d+:\d\d, .*kbit\/s/).waitFor({ timeout: 15_000 });
  await ann.page.locator("#outputs-count").getByText("1 on air").waitFor();
  await ann.page.getByTestId("marker-name").fill("the goal");
  await ann.page.getByTestId("marker-add").click();
  await ann.page.getByTestId("output-pause").click();
  await state.getByText(/^paused/).waitFor();
  await ann.page.getByTestId("output-resume").click();
  await state.getByText(/^live/).waitFor();
  await ann.page.getByTestId("output-stop").click();
  await state.getByText(/^stopped/).waitFor();
  await ann.page.getByTestId("recording-about").getByText(/^0:\d\d, [\d.]+ MB, 0:0\d the goal$/).waitFor();
  await ann.page.getByTestId("recordings").scrollIntoViewIfNeeded();
  await ann.screenshot(artifact("page-recording.png"));
  const fetched = ann.page.waitForEvent("download");
  await ann.page.getByTestId("recording-fetch").click();
  const file = await readFile(await (await fetched).path());
  assert.ok(file.length > 10_000 && file.subarray(0, 4).equals(Buffer.from([0x1a, 0x45, 0xdf, 0xa3])), "it is Matroska");
  await ann.page.getByTestId("output-remove").click();
  await state.waitFor({ state: "detached" });
  await ann.page.locator("#outputs > summary").click();
});

test("an address is tried before it goes live, and people are recorded cut out", async () => {
  await ann.page.locator("#outputs > summary").click();
  await ann.page.getByTestId("output-url").fill("rtmp://127.0.0.1:9/live/secret");
  await ann.page.getByTestId("output-test").click();
  await ann.page.getByTestId("output-error").getByText(/^It fails at connect: /).waitFor();
  await ann.page.getByTestId("output-url").fill("");
  await ann.page.getByTestId("output-cutouts").check();
  await ann.page.getByTestId("output-record-each").click();
  if (real) {
    await ann.page.getByTestId("output-state").getByText(/^live/).waitFor({ timeout: 15_000 });
    const [output] = await server.ask("GET", `/rooms/${ROOM}/outputs`);
    assert.ok(output.type === "iso" && output.cutouts, JSON.stringify(output));
    await ann.page.getByTestId("output-remove").click();
    await ann.page.getByTestId("output-state").waitFor({ state: "detached" });
  } else {
    // Without a model nobody can be cut out, which the page says.
    await ann.page.getByTestId("output-error").getByText(/model/).waitFor();
    ann.errors = ann.errors.filter((text) => !/status of 4\d\d/.test(text));
  }
  await ann.page.getByTestId("output-cutouts").uncheck();
  await ann.page.locator("#outputs > summary").click();
});

test("an output reports its state to everybody, and can be removed", async () => {
  for (const tab of [ann, eve]) await tab.page.locator("#outputs > summary").click();
  await ann.page.getByTestId("output-url").fill("ftp://nowhere/x");
  await ann.page.getByTestId("output-add").click();
  await ann.page.getByTestId("output-error").waitFor();
  await ann.page.getByTestId("output-url").fill("rtmp://127.0.0.1:9/live/secret");
  await ann.page.getByTestId("output-add").click();
  const state = eve.page.getByTestId("output-state");
  await state.getByText(/retrying, attempt/).waitFor({ timeout: 15_000 });
  assert.ok(!(await ann.page.getByTestId("outputs").textContent()).includes("secret"));
  // The list itself is made again with each change of a state.
  await ann.page.locator("#outputs").scrollIntoViewIfNeeded();
  await ann.screenshot(artifact("page-outputs.png"));
  await ann.page.getByTestId("output-stop").click();
  await state.getByText(/^stopped/).waitFor();
  await ann.page.getByTestId("output-start").click();
  await state.getByText(/retrying, attempt/).waitFor({ timeout: 15_000 });
  await ann.page.getByTestId("output-remove").click();
  await state.waitFor({ state: "detached" });
  assert.deepEqual(await server.ask("GET", `/rooms/${ROOM}/outputs`), []);
  ann.errors = ann.errors.filter((text) => !/status of 4\d\d/.test(text));
});

test("it fits a tablet", async () => {
  await ann.page.setViewportSize({ width: 768, height: 1024 });
  // Dropping the image has opened the editor already.
  await ann.page.getByTestId("studio-tools").waitFor();
  await plain("#204060");
  await ann.page.getByTestId("add").click();
  await ann.page.locator('[role=menuitem][data-text="Colour"]').click();
  await ann.page.getByTestId("layer-opacity").waitFor();
  await ann.screenshot(artifact("page-tablet.png"));
  await ann.screenshot(artifact("page-tablet-whole.png"), { fullPage: true });
  const width = await ann.page.evaluate(() => document.scrollingElement.scrollWidth);
  assert.equal(width, 768);
});

test("who is no producer does not see it", async () => {
  const guarded = await startServer(["--api-key", KEY]);
  try {
    const token = await guarded.token("participant", "closed", KEY);
    const directing = await guarded.token("producer", "closed", KEY);
    const guest = await browser.joined(guarded, "closed", "guest", { query: `&token=${token}` });
    const host = await browser.joined(guarded, "closed", "host", { query: `&token=${directing}` });
    for (const id of ["edit", "layout-editor", "background-select", "scenes", "output-url"]) {
      assert.equal(await guest.page.getByTestId(id).isVisible(), false, id);
    }
    await guest.screenshot(artifact("page-guest.png"));
    await host.page.getByTestId("edit").click();
    await host.page.getByTestId("add").click();
    await host.page.locator('[role=menuitem][data-text="Colour"]').click();
    await host.page.locator('[data-testid="box"]').waitFor();
    assert.deepEqual([...guest.errors, ...host.errors], []);
  } finally {
    await guarded.stop();
  }
});

test("nobody's console has errors", () => {
  // A refused layout is one for the browser.
  const odd = [...ann.errors, ...eve.errors].filter((text) => !/status of 422/.test(text));
  assert.deepEqual(odd, []);
});
