// Firefox as a client, driven by WebDriver BiDi; see wish.mjs.

import { execFileSync } from "node:child_process";

import { watchInPage } from "./in-page.mjs";
import { lacking, readWish } from "./wish.mjs";

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
const missing = () => lacking("puppeteer-core is not installed: npm ci");
const { default: puppeteer } = await import("puppeteer-core").catch(missing);
const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath: find(),
  headless: true,
  extraPrefsFirefox: PREFERENCES,
});
try {
  const page = await browser.newPage();
  await page.goto(new URL("/healthz", wish.endpoint).href);
  const seen = await page.evaluate(watchInPage, wish);
  console.log(JSON.stringify({ version: await browser.version(), ...seen }));
} finally {
  await browser.close();
}
