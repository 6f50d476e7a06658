// The page on a phone's width.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { artifact } from "./place.mjs";
import { startServer } from "./server.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
/** The smallest that a finger hits reliably, in CSS pixels. */
const FINGER = 40;

let server;
let browser;
let tab;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  tab = await browser.tab(PHONE);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Asserts that nothing makes the page wider than the phone. */
async function fits() {
  const [width, widest] = await tab.page.evaluate(() => {
    const rights = [...document.querySelectorAll("body *")].map((each) => [each.getBoundingClientRect().right, each]);
    const [right, element] = rights.reduce((most, one) => (one[0] > most[0] ? one : most));
    return [document.scrollingElement.scrollWidth, `${element.tagName}#${element.id} to ${right}`];
  });
  assert.ok(width <= PHONE.viewport.width, `the page is ${width} wide: ${widest}`);
}

test("the form fits, and joining works", async () => {
  await tab.page.goto(`${server.url}/r/pocket?processing=off`);
  await fits();
  assert.equal(await tab.page.getByTestId("room-input").inputValue(), "pocket");
  await tab.page.getByTestId("name-input").fill("ann");
  await tab.screenshot(artifact("phone-form.png"));
  await tab.page.getByTestId("join").tap();
  await tab.connected();
});

test("the stage fits, with buttons that a finger can hit", async () => {
  await fits();
  const stage = await tab.mix.boundingBox();
  assert.ok(stage.width >= 380 && stage.y + stage.height < 500, `the mix is at ${JSON.stringify(stage)}`);
  for (const name of ["mute", "camera", "snapshot", "rendition-select", "fullscreen", "leave"]) {
    const box = await tab.page.getByTestId(name).boundingBox();
    assert.ok(box.width >= FINGER && box.height >= FINGER, `${name} is ${box.width} by ${box.height}`);
    assert.ok(box.y + box.height <= PHONE.viewport.height, `${name} is on the first screen`);
  }
  await tab.screenshot(artifact("phone-room.png"));
  await tab.screenshot(artifact("phone-room-whole.png"), { fullPage: true });
});

test("mute and leave work by touch", async () => {
  await tab.page.getByTestId("mute").tap();
  await tab.page.getByTestId("mute").getByText("Unmute").waitFor();
  await tab.page.getByTestId("leave").tap();
  await tab.page.getByTestId("join").waitFor();
  assert.deepEqual(tab.errors, []);
});
