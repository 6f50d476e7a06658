import { describe, expect, it } from "vitest";

import { LayoutSchema, spotAt } from "../src/complete";
import { arranged, same } from "../src/format";
import { panWords } from "../src/mixing";
import { kindOf, loudnessText, loudnessWords, stateWords } from "../src/studio/outputs";
import { recordingWords } from "../src/studio/recordings";

const schema = new LayoutSchema({
  components: {
    schemas: {
      Layout: {
        properties: {
          canvas: { $ref: "#/components/schemas/Canvas" },
          layers: { type: "array", items: { $ref: "#/components/schemas/Layer" } },
        },
      },
      Canvas: { properties: { background: { type: "string", description: "A colour or an image. More of it.", "x-asset": "image" } } },
      Layer: {
        properties: {
          id: { type: "string" },
          fit: { allOf: [{ $ref: "#/components/schemas/Fit" }], description: "How it is fitted." },
          mirror: { type: "boolean" },
          source: { oneOf: [{ properties: { participant: {} } }, { properties: { image: {} } }] },
        },
      },
      Fit: { type: "string", enum: ["fill", "cover"] },
    },
  },
});
const NAMES = { people: ["ann"], images: ["club.jpg"], layers: ["a"] };

function offers(text: string): string[] {
  const spot = spotAt(text);
  if (!spot) return [];
  return (spot.kind === "key" ? schema.keys(spot.path, spot.taken) : schema.values(spot.path, NAMES)).map((offer) => offer.text);
}

describe("completion of a layout", () => {
  it("offers the keys that are left", () => {
    expect(offers('{"')).toEqual(["canvas", "layers"]);
    expect(offers('{"canvas": {"background": "#000"}, "')).toEqual(["layers"]);
    expect(offers('{"layers": [{"id": "a"}, {"id": "b", "mirror": true, "')).toEqual(["fit", "source"]);
    expect(offers('{"layers": [{"id": "a", "source": {"im')).toEqual(["participant", "image"]);
  });
  it("offers values, and names of the room and the server", () => {
    expect(offers('{"layers": [{"fit": "c')).toEqual(['"fill"', '"cover"']);
    expect(offers('{"layers": [{"mirror": t')).toEqual(["true", "false"]);
    expect(offers('{"layers": [{"source": {"participant": ')).toEqual(['"ann"']);
    expect(offers('{"canvas": {"background": "')).toEqual(['"club.jpg"']);
  });
  it("offers nothing behind a value, outside, and of what it does not know", () => {
    for (const text of ["", '{"canvas": {}', '{"layers": [{"mirror": true ', '{"nothing": {"']) expect(offers(text)).toEqual([]);
    expect(new LayoutSchema("broken").keys([], [])).toEqual([]);
  });
  it("knows where what is typed begins, and is not confused by brackets in strings", () => {
    expect(spotAt('{"layers": [{"id": "a]}{", "op')).toEqual({ path: ["layers", "0"], kind: "key", from: 27, taken: ["id"] });
    expect(spotAt('{"layers": [{"fit": "\\"')?.kind).toBe("value");
  });
  it("says what a key means in one sentence", () => {
    expect(schema.keys(["canvas"], [])[0]?.about).toBe("A colour or an image.");
  });
});

describe("a layout to read", () => {
  it("has its keys in order, and says the same", () => {
    const layout = { auto: { mode: "grid" }, layers: [{ height: 1, zoo: 2, id: "a", x: 3, source: { slot: 1 } }], canvas: {} };
    expect(JSON.stringify(arranged(layout))).toBe('{"canvas":{},"layers":[{"id":"a","source":{"slot":1},"x":3,"height":1,"zoo":2}],"auto":{"mode":"grid"}}');
    expect(same(arranged(layout), layout)).toBe(true);
    const trigger = { do: [{ twirl: { period_ms: 4000, area: { right: 9, left: 1 }, angle: 30 } }], when: "always", id: "t" };
    expect(JSON.stringify(arranged({ triggers: [trigger] }))).toBe(
      '{"triggers":[{"id":"t","when":"always","do":[{"twirl":{"angle":30,"period_ms":4000,"area":{"left":1,"right":9}}}]}]}',
    );
  });
});

describe("an output", () => {
  it("is known by its address", () => {
    const kinds = ["rtmps://host/app/key", "srt://host:9000", "https://host/whip/room", " HTTP://host/whip", "host"].map(kindOf);
    expect(kinds).toEqual(["rtmp", "srt", "whip", "whip", "rtmp"]);
  });

  it("says its state in words", () => {
    const video = {
      width: 1280, height: 720, fps: 30, bitrate: 2500, keyframe_seconds: 2, low_delay: false, profile: "high" as const, rate_control: "cbr" as const,
    };
    const output = {
      id: "o", type: "rtmp" as const, url: "rtmp://host/***", name: null, enabled: true, preset: null, video, encoder_preset: null,
      attempt: null, next_retry_at: null, last_error: null, bitrate: null, bytes: 0, live_since: null, behind: false, cutouts: false,
      created_at: "2026-01-01T00:00:00Z",
    };
    expect(stateWords({ ...output, state: "live" })).toBe("live, 1280x720");
    const live = { ...output, state: "live" as const, bitrate: 2490, bytes: 12_345_678, live_since: "2026-01-01T00:00:00Z" };
    expect(stateWords(live, Date.parse("2026-01-01T01:02:03Z"))).toBe("live, 1:02:03, 1280x720, 2490 kbit/s, 12.3 MB");
    expect(stateWords({ ...output, state: "live", behind: true })).toBe("live, takes less than is sent, 1280x720");
    expect(stateWords({ ...output, type: "file", state: "paused" })).toBe("paused");
    expect(stateWords({ ...output, state: "retrying", attempt: 3, last_error: "refused" })).toBe("retrying, attempt 3: refused");
  });
});

describe("a recording", () => {
  const recording = { name: "show.mkv", started_at: null, seconds: null, bytes: 12_345_678, changed_at: "2026-01-01T00:00:00Z", growing: false, markers: [] };

  it("says how long it is once that is known", () => {
    expect(recordingWords({ ...recording, growing: true })).toBe("12.3 MB, being written");
    expect(recordingWords({ ...recording, seconds: 3723.4, markers: [{ name: "the goal", at_seconds: 65 }] })).toBe("1:02:03, 12.3 MB, 1:05 the goal");
  });
});

describe("sound in words", () => {
  const silent = { momentary: null, short_term: null, integrated: null, true_peak: null, max_true_peak: null };
  it("says how loud the mix is", () => {
    expect(loudnessText(silent)).toBe("silent");
    expect(loudnessWords(silent)).toBe("The mix is silent");
    const loud = { momentary: -17, short_term: -18.25, integrated: -16, true_peak: -4, max_true_peak: -1.04 };
    expect(loudnessText(loud)).toBe("-18.3 LUFS");
    expect(loudnessWords(loud)).toBe(
      "The mix over three seconds: -18.3 LUFS; since the beginning: -16.0 LUFS; highest true peak: -1.0 dB",
    );
  });
  it("says where somebody is heard", () => {
    expect([0, -1, 0.25].map(panWords)).toEqual(["in the middle", "100 % left", "25 % right"]);
  });
});
