// Firefox as a client, driven by WebDriver BiDi; see wish.mjs.

import { execFileSync } from "node:child_process";

import { plain, sendInPage, watchInPage } from "./in-page.mjs";
import { lacking, readWish, say, sending } from "./wish.mjs";

const PROGRAM = process.env.FIREFOX || "firefox-esr";

const PREFERENCES = {
  // Servers on this machine are on its loopback.
  "media.peerconnection.ice.loopback": true,
  "media.peerconnection.ice.obfuscate_host_addresses": false,
  "media.autoplay.default": 0,
  "media.autoplay.blocking_policy": 0,
  // Nothing is fetched from elsewhere. (So there is no H.264: Firefox fetches it when it is first needed.)
  "media.gmp-manager.updateEnabled": false,
  "app.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "browser.safebrowsing.update.enabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
};

function find() {
  try {
    return execFileSync("sh", ["-c", 'command -v "$1"', "find", PROGRAM], { encoding: "utf8" }).trim();
  } catch {
    return lacking(`Firefox (${PROGRAM}) is not installed`);
  }
}

const wish = readWish();
/** A microphone that plays the tone, and is given to every page. The camera of the same kind changes its colours. */
const MICROPHONE = {
  "media.navigator.streams.fake": true,
  "media.navigator.audio.fake_frequency": wish.tone,
  "media.navigator.permission.disabled": true,
};
const missing = () => lacking("puppeteer-core is not installed: npm ci");
const { default: puppeteer } = await import("puppeteer-core").catch(missing);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: find(),
  headless: true,
  extraPrefsFirefox: { ...PREFERENCES, ...(wish.color && MICROPHONE) },
});
try {
  const page = await browser.newPage();
  await page.goto(new URL("/healthz", wish.endpoint).href);
  await page.evaluate(plain);
  const version = (await browser.version()).replace("/", " ");
  if (wish.color) {
    await sending({ version, ...(await page.evaluate(sendInPage, { ...wish, paint: wish.color })) });
    await page.evaluate(() => window.leave());
  } else {
    say({ version, ...(await page.evaluate(watchInPage, wish)) });
  }
} finally {
  await browser.close();
}
