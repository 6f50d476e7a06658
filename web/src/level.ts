/** How loud a microphone is, for the meter. */

/** Calls back about 20 times a second with a level in 0..1 (speech lies around 0.3 to 0.8). */
export class LevelMeter {
  private context: AudioContext | null = null;
  private source: MediaStreamAudioSourceNode | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;
  private track: MediaStreamTrack | null = null;

  constructor(private readonly show: (level: number) => void) {
    // Browsers start sound processing only after a gesture unless a device is already being captured.
    for (const gesture of ["pointerdown", "keydown"]) {
      window.addEventListener(gesture, () => void this.context?.resume(), { passive: true });
    }
  }

  /** Measures this track from now on; `null` stops. */
  measure(track: MediaStreamTrack | null): void {
    if (track === this.track) return;
    this.track = track;
    clearInterval(this.timer);
    this.source?.disconnect();
    this.source = null;
    this.show(0);
    if (!track || typeof AudioContext === "undefined") return;
    this.context ??= new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 1024;
    this.source = this.context.createMediaStreamSource(new MediaStream([track]));
    this.source.connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let held = 0;
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      // Falls slowly so that the eye can follow.
      held = Math.max(levelOf(samples), held * 0.85);
      this.show(held);
    }, 50);
  }
}

/** -60 dBFS and below is 0, full scale is 1, evenly in decibels between them. */
export function levelOf(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / Math.max(1, samples.length));
  const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, (decibels + 60) / 60));
}
