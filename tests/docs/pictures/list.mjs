// All pictures of keys, and the keys that have none.

import { MOVES } from "./moves.mjs";
import { PEOPLE } from "./people.mjs";
import { STILLS } from "./stills.mjs";
import { TEXTS } from "./texts.mjs";

/**
 * @typedef {object} Moment
 * @property {object} [layout] what is shown; left out: what was there goes on
 * @property {object[]} [prepare] layouts that are shown before it, one after another
 * @property {number} [after] milliseconds until it is seen as it is meant; left out: until it stands still
 * @property {string} [sees] a colour that must be in it beyond that, as of a layer that follows somebody
 * @property {[number, number]} [size] of its canvas, where that is not the picture's
 * @property {string} [label] what is written into its corner, where there are several
 *
 * @typedef {object} Picture
 * @property {string} name of its file in `docs/pictures`, without the ending
 * @property {string[]} keys what it shows
 * @property {"plain" | "people" | "alone"} [room] where it is taken, and so who is there; `plain`, nobody, when left out
 * @property {[number, number]} [size] of the canvas, or of each moment's; 320x180 when left out
 * @property {number} [columns] how many moments stand side by side; 2 when left out
 * @property {"jpg" | "png"} [format] `png` where few colours make it the smaller one; `jpg` when left out
 * @property {boolean} [same] whether it comes out the same wherever it is made, so that a test can make it again
 * @property {Moment[]} moments
 */

/** @type {Picture[]} */
export const PICTURES = [...STILLS, ...TEXTS, ...PEOPLE, ...MOVES];

const HEARD = "it is heard, not seen";
const LIKE_LAYER = "it does the same as in a layer, which has a picture";
const TIME = "it is a time, which a still does not show";
const LIKE_AREA = "it bounds what is drawn, as the picture of `when` shows for conditions";

/** Keys that have no picture, each with the reason. */
export const WITHOUT = {
  "canvas.fps": "a still does not show how often it changes",
  music: HEARD,
  warnings: "only answers have it",
  "transition.easing": "it does the same as in a layer's own transition, which has a picture",
  "layers.id": "a name is not seen",
  "layers.source.crawl": "a still does not show that it runs",
  "layers.smoothing": "it calms masks of moving people, which a still does not show",
  "layers.lost": "it needs a camera that sees nobody, and somebody is before those of these pictures",
  "layers.model": "which network is loaded is not seen; how well each does is in models/README.md",
  "auto.threshold": LIKE_LAYER,
  "auto.feather": LIKE_LAYER,
  "auto.smoothing": LIKE_LAYER,
  "auto.model": LIKE_LAYER,
  "triggers.id": "a name is not seen",
  "triggers.every_ms": TIME,
  "triggers.hold_off_ms": TIME,
  "triggers.when.absent": "it matters where nobody is shown",
  "triggers.do.scene": "it shows another layout, as a request does",
  "triggers.do.for_ms": TIME,
  "triggers.do.sound": HEARD,
  "triggers.do.event": "it is an event for programs",
  "triggers.do.twirl.period_ms": TIME,
  "triggers.do.icons.shuffle_ms": TIME,
  "triggers.do.polaroid.every_ms": TIME,
  "triggers.do.polaroid.photo_width": "the photograph is apart from the picture",
  "triggers.do.polaroid.photo_height": "the photograph is apart from the picture",
  "triggers.do.polaroid.sound": HEARD,
};
for (const edge of ["left", "top", "right", "bottom"]) {
  WITHOUT[`triggers.do.snapshot.area.${edge}`] = "the photograph is apart from the picture";
  for (const action of ["twirl", "icons", "polaroid"]) WITHOUT[`triggers.do.${action}.area.${edge}`] = LIKE_AREA;
}
