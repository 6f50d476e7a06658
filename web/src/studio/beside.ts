/** Which keys of a layer can stand beside each other: what the server would refuse is not offered. PURE. */

import { isObject } from "../problem";
import { number, type Json, type Layer } from "./model";
import { kindOf } from "./names";

/** Returns whether somebody is looked for in the layer's picture. */
function isCut({ source, cutout }: Layer): boolean {
  const kind = kindOf(source);
  return (kind === "participant" || kind === "slot") && (cutout ?? "none") !== "none";
}

/** Returns what the layer may show while nobody is found, as values and words; nothing where nobody is looked for. */
export function losses(layer: Layer): [string, string][] {
  if (!isCut(layer)) return [];
  const blurred: [string, string][] = number(layer.rotate, 0) % 360 === 0 ? [["blur", "blurred picture"]] : [];
  return [["hide", "nothing"], ["whole", "whole picture"], ...blurred];
}

/** Returns whether the layer may be turned: nothing that blurs its own picture is. */
export function canTurn({ lost, background }: Layer): boolean {
  return lost !== "blur" && !isObject(background);
}

/** Returns the patch that cuts somebody out so; without a cut-out, nothing stays that is seen only behind one. */
export function cutPatch(cutout: string): Json {
  return cutout === "none" ? { cutout: null, lost: null, background: null } : { cutout };
}
