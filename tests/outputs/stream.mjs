// What has come at the other end of an output, as ffprobe and ffmpeg see it.

import { spawnSync } from "node:child_process";

import { probe } from "../browser/rtmp.mjs";

const MOST = 256 * 1024 * 1024;

function run(program, args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: MOST });
  if (status !== 0) throw new Error(`${program} ${args.at(-1)}: ${stderr}`);
  return stdout;
}

/** When instantaneous decoder refreshes are shown, in seconds: pictures that have a NAL unit of type 5. */
function refreshes(file) {
  const filter = ["-map", "0:v:0", "-c", "copy", "-bsf:v", "filter_units=pass_types=5", "-f", "framecrc", "-"];
  const lines = run("ffmpeg", ["-v", "error", "-nostdin", "-copyts", "-i", file, ...filter]).split("\n");
  const [top, bottom] = /^#tb 0: (\d+)\/(\d+)/m.exec(lines.join("\n")).slice(1).map(Number);
  const found = lines.filter((line) => line.startsWith("0,"));
  return found.map((line) => (Number(line.split(",")[2]) * top) / bottom).sort((a, b) => a - b);
}

/** Times and sizes of the packets of the picture, in seconds and bytes. */
function packets(file) {
  const wanted = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,size", "-of", "csv=p=0"];
  const lines = run("ffprobe", ["-v", "error", ...wanted, file]).split("\n");
  return lines.map((line) => line.split(",").map(Number)).filter(([at, size]) => Number.isFinite(at) && size > 0);
}

/** kbit/s of the picture between two times. */
function kilobits(all, from, to) {
  const bytes = all.filter(([at]) => at >= from && at < to).reduce((sum, [, size]) => sum + size, 0);
  return (bytes * 8) / 1_000 / (to - from);
}

/**
 * What a file holds.
 *
 * @param {string} file
 * @param {{seconds: number, gop: number}} window the bit rate is that of so many seconds before the end, from one refresh to
 *   another where those are `gop` seconds apart
 */
export function look(file, { seconds, gop }) {
  const { video, audio } = probe(file);
  const all = packets(file);
  const last = all.reduce((most, [at]) => Math.max(most, at), 0);
  const idrs = video.codec_name === "h264" ? refreshes(file) : [];
  const gaps = idrs.slice(1).map((at, index) => at - idrs[index]);
  const to = idrs.findLast((at) => at < last) ?? last;
  const whole = Math.floor(seconds / gop) * gop;
  return {
    video: {
      codec: video.codec_name,
      profile: video.profile,
      size: `${video.width}x${video.height}`,
      rate: video.rate,
      said: video.r_frame_rate,
      seconds: video.last - video.first,
    },
    audio: {
      codec: audio.codec_name,
      profile: audio.profile,
      sampleRate: Number(audio.sample_rate),
      channels: audio.channels,
      // Of AAC as it was encoded; Opus in Matroska does not say.
      packets: audio.rate,
    },
    idrs: { count: idrs.length, least: Math.min(...gaps), most: Math.max(...gaps), gaps },
    kilobits: kilobits(all, to - whole, to),
    window: whole,
  };
}
