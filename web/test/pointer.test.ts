import { describe, expect, it } from "vitest";

import { locate, steps } from "../src/pointer";

const TEXT = `{
  "canvas": {"width": 1280, "height": 720},
  "layers": [
    {"id": "bg", "source": {"image": "club.jpg"}},
    {
      "id": "ann",
      "a/b~c": true,
      "x": "-10%"
    }
  ]
}`;

const marked = (pointer: string) => {
  const { from, to, line } = locate(TEXT, pointer);
  return [TEXT.slice(from, to), line];
};

describe("locate", () => {
  it("marks a value together with its key", () => {
    expect(marked("/canvas/height")).toEqual(['"height": 720', 2]);
    expect(marked("/layers/1/x")).toEqual(['"x": "-10%"', 8]);
    expect(marked("/layers/0/source/image")).toEqual(['"image": "club.jpg"', 4]);
  });
  it("marks an item of an array, and of a long one its opening bracket", () => {
    expect(marked("/layers/0")).toEqual(['{"id": "bg", "source": {"image": "club.jpg"}}', 4]);
    expect(marked("/layers/1")).toEqual(["{", 5]);
    expect(marked("/layers")).toEqual(['"layers"', 3]);
  });
  it("unescapes the pointer's steps", () => {
    expect(steps("/a~1b~0c/0")).toEqual(["a/b~c", "0"]);
    expect(marked("/layers/1/a~1b~0c")).toEqual(['"a/b~c": true', 7]);
  });
  it("shows a missing key at the object that lacks it", () => {
    expect(marked("/layers/0/z")).toEqual(['{"id": "bg", "source": {"image": "club.jpg"}}', 4]);
    expect(marked("/layers/9/z")).toEqual(['"layers"', 3]);
    expect(marked("")).toEqual(["{", 1]);
  });
  it("takes the last of two equal keys, and survives broken text", () => {
    expect(locate('{"a": 1,\n"a": 2}', "/a").line).toBe(2);
    expect(locate('{"a": [1, 2', "/a/1").from).toBe(10);
    expect(locate("", "/a")).toEqual({ from: 0, to: 0, line: 1 });
  });
});
