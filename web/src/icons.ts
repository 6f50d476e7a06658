/** The page's drawings: 24x24 strokes in the text's colour. */

const PATHS = {
  microphone: '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5 11a7 7 0 0 0 14 0M12 18v3"/>',
  microphoneOff: '<path d="M9 9V6a3 3 0 0 1 6 0v5M9.5 13A3 3 0 0 0 14 13.5M5 11a7 7 0 0 0 11.5 5.3M19 11a7 7 0 0 1-.4 2.4M12 18v3M4 3l16 18"/>',
  camera: '<rect x="3" y="6" width="12" height="12" rx="2.5"/><path d="M15 10.5 21 7v10l-6-3.5"/>',
  cameraOff: '<path d="M7 6h5.5A2.5 2.5 0 0 1 15 8.500v6M13.5 18h-8A2.5 2.5 0 0 1 3 15.500v-7A2.5 2.5 0 0 1 4 6.500M15 10.5 21 7v10l-3-1.700M4 3l16 18"/>',
  snapshot: '<path d="M4 8h3l1.6-2.500h6.800L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/><circle cx="12" cy="13" r="3.5"/>',
  fullscreen: '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
  leave: '<path d="M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h11M17.5 8.5 21 12l-3.5 3.5"/>',
  away: '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3 2"/>',
};

export type IconName = keyof typeof PATHS;

/** An icon for decoration; what it means is said by the text beside it. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  svg.innerHTML = PATHS[name];
  return svg;
}
