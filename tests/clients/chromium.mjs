// Chromium as a client; see wish.mjs.

import { startBrowser } from "../browser/browser.mjs";
import { watchInPage } from "./in-page.mjs";
import { readWish } from "./wish.mjs";

const wish = readWish();
const browser = await startBrowser();
try {
  const { page } = await browser.tab();
  await page.goto(new URL("/healthz", wish.endpoint).href);
  const seen = await page.evaluate(watchInPage, wish);
  console.log(JSON.stringify({ version: `Chromium ${browser.chrome.version()}`, ...seen }));
} finally {
  await browser.close();
}
