// What triggers do is seen on the page: photos by everybody, firings by those who direct. The news is put on the page's
// socket here, as gestures need people in front of real cameras.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { startBrowser } from "./browser.mjs";
import { artifact } from "./place.mjs";
import { startServer } from "./server.mjs";

const ROOM = "party";
const KEY = "only-for-this-test";
const PHOTO = { id: "one", trigger: "smile", width: 1280, height: 720, taken_at: "2026-01-01T12:00:00Z" };
/** What makes a file a JPEG. */
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

let server;
let browser;
let photo;

before(async () => {
  server = await startServer(["--api-key", KEY]);
  browser = await startBrowser({ clip: "ann" });
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

/** A tab in the room, with `news(event)`, which the page takes for the server's. */
async function joined(name, role) {
  const admin = { authorization: `Bearer ${KEY}` };
  const token = await server.token(role, ROOM, KEY);
  const tab = await browser.tab();
  await tab.page.routeWebSocket(/\/session/, (socket) => {
    socket.connectToServer();
    tab.news = (event) => socket.send(JSON.stringify({ type: "event", event }));
  });
  await tab.join(server, ROOM, name, `&token=${token}`);
  photo ??= Buffer.from(await (await fetch(`${server.url}/api/v1/rooms/${ROOM}/snapshot.jpg`, { headers: admin })).arrayBuffer());
  return tab;
}

/** The server has this photo. */
async function keepPhoto({ page }) {
  await page.route(`**/rooms/${ROOM}/photos`, (route) => route.fulfill({ json: [PHOTO] }));
  await page.route(`**/rooms/${ROOM}/photos/${PHOTO.id}`, (route) => {
    assert.match(route.request().headers().authorization, /^Bearer /);
    return route.fulfill({ body: photo, contentType: "image/jpeg" });
  });
}

test("a guest sees a photo that was taken, and saves it", async () => {
  const tab = await joined("guest", "participant");
  const { page } = tab;
  assert.ok(await page.locator("#photos").isHidden());
  await keepPhoto(tab);
  tab.news({ type: "photo_taken", photo: PHOTO });
  await page.getByText("A photo was taken: smile").waitFor({ state: "attached" });
  await page.locator("#photos > summary").click();
  await page.locator('[data-testid="photo"] img[src]').waitFor();
  await tab.screenshot(artifact("page-photos.png"));
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId("photo").click()]);
  assert.match(download.suggestedFilename(), /\.jpg$/);
  assert.ok((await readFile(await download.path())).subarray(0, 3).equals(JPEG));
  tab.news({ type: "trigger_fired", trigger: "wave", participants: [], events: [] });
  await page.getByTestId("leave").click();
  await page.getByTestId("join").waitFor();
  assert.ok(await page.locator("#photos").isHidden());
  assert.equal(await page.getByTestId("firings").count(), 0);
  assert.deepEqual(tab.errors, []);
});

test("those who direct see which trigger fired, and by whom", async () => {
  const tab = await joined("host", "producer");
  const { page } = tab;
  await page.locator("#edit").waitFor();
  const { id } = (await server.ask("GET", `/rooms/${ROOM}`, undefined, { authorization: `Bearer ${KEY}` })).participants.find(({ name }) => name === "host");
  assert.ok(await page.locator("#firings").isHidden());
  tab.news({ type: "trigger_fired", trigger: "wave", participants: [id], events: ["hello"] });
  await page.locator("#firings > summary").click();
  await page.getByTestId("firings").getByText("wave, by host: hello").waitFor();
  await page.getByText("Trigger wave, by host: hello").waitFor({ state: "attached" });
  await tab.screenshot(artifact("page-firings.png"));
  assert.deepEqual(tab.errors, []);
});
