// A client that lives in a page of Chromium.

import { startBrowser } from "../browser/browser.mjs";
import { sendInPage, watchInPage } from "./in-page.mjs";
import { readWish, say, sending } from "./wish.mjs";

/**
 * Does what is asked for.
 *
 * @param {(page: import("playwright-core").Page) => Promise<void>} define puts `window.maker` there
 * @param {(chromium: string) => string} named the client's name and version
 */
export async function runInChromium(define, named) {
  const wish = readWish();
  const browser = await startBrowser(wish.color ? { color: wish.color, tone: wish.tone } : {});
  const version = named(`Chromium ${browser.chrome.version()}`);
  try {
    const { page } = await browser.tab();
    await page.goto(new URL("/healthz", wish.endpoint).href);
    await define(page);
    if (wish.color) {
      await sending({ version, ...(await page.evaluate(sendInPage, wish)) });
      await page.evaluate(() => window.leave());
    } else {
      say({ version, ...(await page.evaluate(watchInPage, wish)) });
    }
  } finally {
    await browser.close();
  }
}
