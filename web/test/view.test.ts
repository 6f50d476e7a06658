import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { View } from "../src/protocol";
import { pictureHeight, ViewReport } from "../src/view";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function report() {
  const sent: View[] = [];
  const now = { height: 720, hidden: false, save_data: false, rendition: "auto" };
  return { now, sent, view: new ViewReport(() => ({ ...now }), (view) => sent.push(view)) };
}

describe("the report of what the page can use", () => {
  it("is made when a receiving connection is there, and again for the next", () => {
    const { view, sent } = report();
    view.changed();
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([]);
    view.start();
    expect(sent).toEqual([{ height: 720, hidden: false, save_data: false, rendition: "auto", dropped: 0 }]);
    view.start();
    expect(sent).toHaveLength(2);
  });
  it("waits for changes to settle, and passes over those that are undone", () => {
    const { view, sent, now } = report();
    view.start();
    for (const height of [600, 500, 400]) {
      now.height = height;
      view.changed();
      vi.advanceTimersByTime(299);
    }
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sent.map(({ height }) => height)).toEqual([720, 400]);
    now.hidden = true;
    view.changed();
    now.hidden = false;
    view.changed();
    vi.advanceTimersByTime(1000);
    expect(sent).toHaveLength(2);
  });
  it("stops with the connection", () => {
    const { view, sent, now } = report();
    view.start();
    now.rendition = "360p";
    view.changed();
    view.stop();
    view.count(0, 0);
    view.count(0, 100);
    vi.advanceTimersByTime(1000);
    expect(sent).toHaveLength(1);
  });
  it("reports dropped frames while there are many, and once when they are few again", () => {
    const { view, sent } = report();
    view.start();
    for (const [decoded, dropped] of [[90, 0], [180, 2], [260, 12], [340, 22], [430, 22], [520, 22]]) {
      view.count(decoded!, dropped!);
    }
    expect(sent.map((each) => each.dropped)).toEqual([0, 0.11, 0.11, 0]);
  });
  it("does not take the counters of another connection for a change", () => {
    const { view, sent } = report();
    view.start();
    view.count(1000, 500);
    view.count(10, 0);
    view.count(20, 0);
    expect(sent).toHaveLength(1);
  });
});

describe("the picture's height", () => {
  const hd = { width: 1280, height: 720 };
  it("is without the bars beside or above it, in device pixels", () => {
    expect(pictureHeight({ width: 960, height: 540 }, hd, 2)).toBe(1080);
    expect(pictureHeight({ width: 390, height: 844 }, hd, 3)).toBe(658);
    expect(pictureHeight({ width: 2000, height: 500 }, hd, 1)).toBe(500);
  });
  it("is guessed before there is a picture", () => {
    expect(pictureHeight({ width: 640, height: 600 }, { width: 0, height: 0 }, 1)).toBe(360);
  });
});
