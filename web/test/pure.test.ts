import { describe, expect, it } from "vitest";

import { readAnswer } from "../src/studio/api";
import { backgroundOf } from "../src/background";
import { delayMs } from "../src/backoff";
import { preferred, receivable, sendable, takesStereo } from "../src/codecs";
import { explain, soundProcessing, unavailable } from "../src/devices";
import { badgeText, choices } from "../src/delivery";
import { encodingFor } from "../src/encoding";
import { format, same } from "../src/format";
import { levelOf } from "../src/level";
import { readOptions, roomAddress } from "../src/options";
import { problemText, readProblem, warningText } from "../src/problem";
import { assetName } from "../src/shelf";
import { condense, readout } from "../src/stats";

describe("backoff", () => {
  it("doubles up to a bound, half of it by chance", () => {
    expect([0, 1, 2, 3].map((attempt) => delayMs(attempt, 1))).toEqual([500, 1000, 2000, 4000]);
    expect(delayMs(0, 0)).toBe(250);
    expect(delayMs(40, 1)).toBe(15_000);
    expect(delayMs(40, 0)).toBe(7_500);
  });
});

describe("codecs", () => {
  const h264 = (line: string) => ({ mimeType: "video/H264", sdpFmtpLine: line });
  const all = [
    { mimeType: "video/VP8" },
    { mimeType: "video/rtx" },
    { mimeType: "video/VP9", sdpFmtpLine: "profile-id=0" },
    h264("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"),
  ];

  it("receives H.264 first and sends VP8 first", () => {
    expect(receivable(all)).toEqual(["h264", "vp8", "vp9"]);
    expect(sendable(all)).toEqual(["vp8", "h264", "vp9"]);
  });
  it("leaves out H.264 of another profile or packetization mode", () => {
    const high = h264("packetization-mode=1;profile-level-id=640c1f");
    const single = h264("packetization-mode=0;profile-level-id=42e01f");
    expect(receivable([{ mimeType: "video/VP8" }, high, single])).toEqual(["vp8"]);
  });
  it("takes Opus in stereo, once, and nothing else", () => {
    const lines = ["a=rtpmap:111 opus/48000/2", "a=fmtp:111 minptime=10;useinbandfec=1", "a=rtpmap:9 G722/8000", "a=fmtp:9 x=1", ""];
    const stereo = lines.map((line) => line.replace("fmtp:111 ", "fmtp:111 stereo=1;")).join("\r\n");
    expect(takesStereo(lines.join("\r\n"))).toBe(stereo);
    expect(takesStereo(stereo)).toBe(stereo);
    expect(takesStereo("a=rtpmap:96 OPUS/48000/2\r\na=x\r\n")).toBe("a=rtpmap:96 OPUS/48000/2\r\na=fmtp:96 stereo=1\r\na=x\r\n");
  });
  it("takes an override only as far as the browser can", () => {
    expect(receivable(all, ["vp8"])).toEqual(["vp8"]);
    expect(receivable(all, ["av1"])).toEqual(["h264", "vp8", "vp9"]);
    expect(sendable(undefined)).toEqual([]);
  });
  it("offers the named ones in their order, and retransmission", () => {
    const single = h264("packetization-mode=0;profile-level-id=42e01f");
    const offered = (names: string[]) => preferred([...all, single], names).map(({ mimeType }) => mimeType);
    expect(offered(["h264", "vp8"])).toEqual(["video/H264", "video/VP8", "video/rtx"]);
    expect(offered(["vp8"])).toEqual(["video/VP8", "video/rtx"]);
    expect(offered(["av1"])).toEqual([]);
  });
});

describe("options", () => {
  it("reads room, name and switches from the address", () => {
    const options = readOptions(new URL("https://host/?room=demo&name=ann&join=1&token=t&receive=vp8,h264"));
    expect(options).toEqual({
      name: "ann",
      room: "demo",
      join: true,
      token: "t",
      receive: ["vp8", "h264"],
      send: [],
      processing: true,
    });
  });
  it("reads the room from the path", () => {
    const options = readOptions(new URL("https://host/r/green-room/"));
    expect(options.room).toBe("green-room");
    expect(options.join).toBe(false);
  });
  it("leaves the microphone's sound alone only when asked to", () => {
    const processing = (query: string) => readOptions(new URL(`https://host/${query}`)).processing;
    expect(["", "?processing", "?processing=on", "?processing=off"].map(processing)).toEqual([true, true, true, false]);
  });
  it("keeps the debugging options in the room's address but not the token", () => {
    const url = new URL("https://host/?room=demo&token=t&send=h264&name=ann");
    expect(roomAddress(url, "demo", "bea")).toBe("/r/demo?send=h264&name=bea");
    expect(roomAddress(new URL("https://host/?token=t"), "demo", "ann")).toBe("/r/demo");
    expect(roomAddress(new URL("https://host/studio/r/demo"), "demo", "ann", "/studio/")).toBe("/studio/r/demo");
    expect(readOptions(new URL("https://host/studio/r/green-room")).room).toBe("green-room");
  });
});

describe("problem", () => {
  it("reads the places of a refused body", () => {
    const problem = readProblem({ title: "Invalid", status: 422, errors: [{ pointer: "/layers/0/x", detail: "not a length" }, 7] });
    expect(problem.errors).toEqual([{ pointer: "/layers/0/x", detail: "not a length" }]);
    expect(problemText(problem)).toBe("Invalid");
  });
  it("finds words for an empty answer", () => {
    expect(problemText(readProblem(null, 401))).toContain("token");
    expect(problemText(readProblem("<html>", 502))).toContain("502");
    expect(problemText(readProblem(null, 0))).toContain("cannot be reached");
  });
  it("keeps the warnings of an answer apart from the layout", () => {
    const warnings = [{ pointer: "/layers/0/source/text", detail: "no font has it" }];
    expect(readAnswer({ layers: [], warnings })).toEqual({ layout: { layers: [] }, warnings });
    expect(readAnswer({ layers: [] })).toEqual({ layout: { layers: [] }, warnings: [] });
    expect([warningText(warnings), warningText([])]).toEqual(["/layers/0/source/text: no font has it", null]);
  });
});

describe("devices in words", () => {
  it("says why an insecure page has none", () => {
    expect(unavailable(false, undefined)).toContain("https://");
    expect(unavailable(true, {})).toBeNull();
  });
  it("distinguishes a refusal from a busy device", () => {
    const named = (name: string) => Object.assign(new Error(), { name });
    expect(explain("camera", named("NotAllowedError"))).toContain("Allow it");
    expect(explain("microphone", named("NotReadableError"))).toContain("busy");
  });
  it("asks for all of the sound's processing or for nothing of it", () => {
    expect(Object.values(soundProcessing(true))).toEqual([true, true, true]);
    expect(Object.values(soundProcessing(false))).toEqual([false, false, false]);
  });
});

describe("format", () => {
  it("keeps short values on one line and breaks long ones", () => {
    expect(format({ auto: { mode: "grid" } })).toBe('{"auto": {"mode": "grid"}}');
    const layout = { canvas: { width: 1280, height: 720, fps: 30 }, layers: [{ id: "ann", z: 1 }], auto: { mode: "grid" } };
    const text = format(layout);
    expect(text.split("\n")).toHaveLength(9);
    expect(JSON.parse(text)).toEqual(layout);
  });
  it("compares without regard to the order of keys", () => {
    expect(same({ a: 1, b: [{ c: 2, d: 3 }] }, { b: [{ d: 3, c: 2 }], a: 1 })).toBe(true);
    expect(same([1, 2], [2, 1])).toBe(false);
  });
});

describe("background", () => {
  it("reads colour and image", () => {
    expect(backgroundOf({ canvas: { background: "#223344" } })).toBe("#223344");
    expect(backgroundOf({ canvas: { background: "club.jpg" } })).toBe("club.jpg");
    expect(backgroundOf({ canvas: { background: { image: "club.jpg" } } })).toBe("club.jpg");
    expect(backgroundOf({})).toBe("");
  });
  it("makes an asset's name of any file's name", () => {
    expect(assetName("Mein Büro (neu).JPG")).toBe("Mein-Bu-ro-neu-.JPG");
    expect(assetName("../..")).toBe("background");
  });
});

describe("level", () => {
  it("is even in decibels", () => {
    expect(levelOf(new Float32Array(8))).toBe(0);
    expect(levelOf(new Float32Array(8).fill(1))).toBe(1);
    expect(levelOf(new Float32Array(8).fill(0.0316))).toBeCloseTo(0.5, 2);
  });
});

describe("the camera's encoding", () => {
  const camera = { width: 1280, height: 720 };
  const most = 2_500_000;
  const scaleFor = (width: number, height: number) => encodingFor(camera, { width, height, fps: 30 }, most).scale;

  it("is bounded by the devices' choice alone until the server has named a size", () => {
    expect(encodingFor(camera, null, most)).toEqual({ scale: 1, bitrate: most, framerate: null });
  });
  it("is never smaller than shown, and falls by steps", () => {
    expect([[1280, 720], [1920, 1080], [854, 480], [853, 480], [640, 360], [641, 361], [320, 180], [64, 36]].map(
      ([width, height]) => scaleFor(width!, height!),
    )).toEqual([1, 1, 1, 1.5, 2, 1.5, 4, 4]);
  });
  it("keeps both sides large enough for a picture of another shape", () => {
    expect(scaleFor(320, 720)).toBe(1);
    expect(encodingFor({ width: 720, height: 1280 }, { width: 360, height: 640, fps: 30 }, most).scale).toBe(2);
  });
  it("costs bits by its area and rate, within bounds", () => {
    expect(encodingFor(camera, { width: 640, height: 360, fps: 30 }, most)).toEqual({ scale: 2, bitrate: 691_200, framerate: 30 });
    expect(encodingFor(camera, { width: 1280, height: 720, fps: 30 }, most).bitrate).toBe(most);
    expect(encodingFor(camera, { width: 160, height: 90, fps: 5 }, most).bitrate).toBe(60_000);
  });
  it("goes on, small and slow, for someone not shown", () => {
    expect(encodingFor(camera, { width: 0, height: 0, fps: 30 }, most)).toEqual({ scale: 4, bitrate: 60_000, framerate: 5 });
  });
  it("does not scale a track of unknown size", () => {
    expect(encodingFor(null, { width: 64, height: 36, fps: 15 }, most)).toEqual({ scale: 1, bitrate: most, framerate: 15 });
  });
});

describe("what is delivered, in words", () => {
  const renditions = ["720p", "360p", "180p"];
  const badge = (rendition: string | null, reason: string) => badgeText({ type: "delivery", rendition, reason, renditions });

  it("is nothing while the picture is whole", () => {
    expect([badgeText(null), badge("720p", "start"), badge("720p", "recovered")]).toEqual([null, null, null]);
  });
  it("names the rendition and the reason", () => {
    expect(badge("360p", "slow network")).toBe("360p, slow network");
    expect(badge("180p", "loss")).toBe("180p, packets lost");
    expect(badge("360p", "recovered")).toBe("360p, recovering");
    expect(badge("720p", "fixed")).toBe("720p, chosen");
    expect(badge(null, "slow network")).toBe("Sound only, slow network");
  });
  it("offers what the room has, and what is wanted", () => {
    expect(choices(renditions, "auto")).toEqual(["auto", "720p", "360p", "180p"]);
    expect(choices([], "360p")).toEqual(["auto", "360p"]);
  });
});

describe("stats", () => {
  it("condenses the reports of both connections", () => {
    const received = [
      { type: "inbound-rtp", kind: "video", frameWidth: 1280, frameHeight: 720, framesPerSecond: 30, bytesReceived: 500_000, codecId: "c" },
      { type: "codec", id: "c", mimeType: "video/H264" },
      { type: "candidate-pair", state: "succeeded", nominated: true, currentRoundTripTime: 0.0123 },
    ];
    const sent = [
      { type: "outbound-rtp", kind: "video", frameWidth: 640, bytesSent: 1000, codecId: "c" },
      { type: "codec", id: "c", mimeType: "video/VP8" },
      { type: "candidate-pair", state: "succeeded", nominated: true, currentRoundTripTime: 0.5 },
    ];
    const first = condense(received, sent, 0);
    const second = { ...first, videoBytes: 1_000_000, at: 2000 };
    expect(first.roundTripMs).toBe(12);
    expect(first).toMatchObject({ sentWidth: 640, sentVideoBytes: 1000, sentVideoCodec: "vp8", videoCodec: "h264" });
    expect(readout(second, first)).toBe("1280×720  ·  30 fps  ·  2.0 Mbit/s  ·  H264  ·  12 ms round trip");
    expect(readout(condense([], [], 0), null)).toBe("");
  });
});
