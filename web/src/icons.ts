/** The page's drawings: 24x24 strokes in the text's colour. */

const PATHS = {
  microphone: '<rect x="9" y="3" width="6" height="11" rx="3"/><path d="M5 11a7 7 0 0 0 14 0M12 18v3"/>',
  microphoneOff: '<path d="M9 9V6a3 3 0 0 1 6 0v5M9.5 13A3 3 0 0 0 14 13.5M5 11a7 7 0 0 0 11.5 5.3M19 11a7 7 0 0 1-.4 2.4M12 18v3M4 3l16 18"/>',
  camera: '<rect x="3" y="6" width="12" height="12" rx="2.5"/><path d="M15 10.5 21 7v10l-6-3.5"/>',
  cameraOff: '<path d="M7 6h5.5A2.5 2.5 0 0 1 15 8.500v6M13.5 18h-8A2.5 2.5 0 0 1 3 15.500v-7A2.5 2.5 0 0 1 4 6.500M15 10.5 21 7v10l-3-1.700M4 3l16 18"/>',
  snapshot: '<path d="M4 8h3l1.6-2.500h6.800L17 8h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z"/><circle cx="12" cy="13" r="3.5"/>',
  fullscreen: '<path d="M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5"/>',
  quality: '<path d="M5 19v-4M10 19v-8M15 19V8M20 19V4"/>',
  leave: '<path d="M14 4H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M10 12h11M17.5 8.5 21 12l-3.5 3.5"/>',
  edit: '<path d="M4 20h4L19 9l-4-4L4 16zM13 7l4 4"/>',
  start: '<path d="M8 5.500v13l10-6.500z"/>',
  stop: '<rect x="6.500" y="6.500" width="11" height="11" rx="1.500"/>',
  download: '<path d="M12 4v11M8 11l4 4 4-4M5 20h14"/>',
  undo: '<path d="M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3"/>',
  redo: '<path d="m16 5 4 4-4 4M20 9H10a6 6 0 0 0 0 12h3"/>',
  add: '<path d="M12 5v14M5 12h14"/>',
  layouts: '<rect x="3.5" y="5" width="17" height="14" rx="2"/><path d="M12 5v14M12 12h8.500"/>',
  forward: '<path d="M12 20V9M7 13l5-5 5 5M6 4h12"/>',
  back: '<path d="M12 4v11M7 11l5 5 5-5M6 20h12"/>',
  copy: '<rect x="8" y="8" width="12" height="12" rx="2"/><path d="M16 5V4H5a1 1 0 0 0-1 1v11h1"/>',
  remove: '<path d="M5 7h14M9.500 7V4.500h5V7M7 7l1 13h8l1-13M10.500 11v5M13.500 11v5"/>',
  snap: '<path d="M6 4v8a6 6 0 0 0 12 0V4h-4v8a2 2 0 0 1-4 0V4zM6 8h4M14 8h4"/>',
  previous: '<path d="m14 6-6 6 6 6"/>',
  next: '<path d="m10 6 6 6-6 6"/>',
  store: '<path d="M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-6h8v6"/>',
  person: '<circle cx="12" cy="8" r="3.500"/><path d="M5 20a7 7 0 0 1 14 0"/>',
  nobody: '<circle cx="12" cy="8" r="3.500"/><path d="M5 20a7 7 0 0 1 14 0M4 3l16 18"/>',
  slot: '<rect x="4" y="5" width="16" height="14" rx="2" stroke-dasharray="3 2.500"/>',
  image: '<rect x="3.500" y="5" width="17" height="14" rx="2"/><path d="m4 17 5-5 4 4 3-3 4 4"/><circle cx="15.500" cy="9.500" r="1.300"/>',
  text: '<path d="M5 8V5h14v3M12 5v14M9 19h6"/>',
  color: '<path d="M12 3.500c4 4.500 6 7.500 6 10a6 6 0 0 1-12 0c0-2.500 2-5.500 6-10z"/>',
  more: '<path d="M6 12h.01M12 12h.01M18 12h.01" stroke-width="3"/>',
  background: '<rect x="3.500" y="5" width="17" height="14" rx="2"/><path d="M3.500 14.500h17M7 19l3-4.500M14 14.500l3 4.500"/>',
  close: '<path d="M6 6l12 12M18 6 6 18"/>',
  away: '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5l3 2"/>',
};

export type IconName = keyof typeof PATHS;

/** Returns an icon for decoration; what it means is said by the text beside it. */
export function icon(name: IconName): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  svg.innerHTML = PATHS[name];
  return svg;
}
