// Chromium as a client; see wish.mjs.

import { runInChromium } from "./chromium-page.mjs";
import { plain } from "./in-page.mjs";

await runInChromium((page) => page.evaluate(plain), (version) => version);
