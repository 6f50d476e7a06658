/** Sends values that follow each other quickly: at most one is under way, at most so many a second, and the newest wins. */

export const PAUSE_MS = 33;

export class Stream<T> {
  private waiting: { value: T } | null = null;
  private running: Promise<void> | null = null;
  private sentAt = -Infinity;

  /** `send` deals with its errors itself. */
  constructor(
    private readonly send: (value: T) => Promise<void>,
    private readonly pauseMs = PAUSE_MS,
  ) {}

  push(value: T): void {
    this.waiting = { value };
    this.running ??= this.run().finally(() => (this.running = null));
  }

  /** Resolves when everything that was pushed is sent. */
  async flush(): Promise<void> {
    await this.running;
  }

  /** Forgets what is not under way yet. */
  drop(): void {
    this.waiting = null;
  }

  private async run(): Promise<void> {
    while (this.waiting) {
      const wait = this.sentAt + this.pauseMs - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const next = this.waiting as { value: T } | null;
      this.waiting = null;
      if (!next) return;
      this.sentAt = performance.now();
      await this.send(next.value);
    }
  }
}
