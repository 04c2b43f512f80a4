import type { Size } from '../core/geometry.ts';
import type { Frame } from '../core/picture.ts';

/** A snapshot is no larger than this, whatever the camera gives. */
const SNAPSHOT_MAX: Size = { width: 1280, height: 720 };

export interface Snapshot extends Size {
  readonly jpeg: Uint8Array;
  readonly capturedAtMs: number;
}

interface Request {
  resolve(snapshot: Snapshot): void;
  reject(error: unknown): void;
}

/** Pictures of one camera for whoever asks: of the next frame that comes by. */
export class SnapshotDesk {
  readonly #encode: (rgb: Uint8Array, size: Size) => Promise<Uint8Array>;
  #waiting: Request[] = [];

  /** @param encode makes a JPEG of RGB bytes in rows */
  constructor(encode: (rgb: Uint8Array, size: Size) => Promise<Uint8Array>) {
    this.#encode = encode;
  }

  /** A picture of the next frame. Rejects with the signal's reason when none comes until then. */
  take(signal: AbortSignal): Promise<Snapshot> {
    return new Promise((resolve, reject) => {
      const request: Request = { resolve, reject };
      const give = () => {
        this.#waiting = this.#waiting.filter((one) => one !== request);
        reject(signal.reason);
      };
      if (signal.aborted) give();
      else {
        this.#waiting.push(request);
        signal.addEventListener('abort', give, { once: true });
      }
    });
  }

  /** A frame comes by; its pixels are taken before this resolves. Never rejects. */
  async pass(frame: Frame): Promise<void> {
    const waiting = this.#waiting.splice(0);
    if (waiting.length === 0) return;
    try {
      const scale = Math.min(1, SNAPSHOT_MAX.width / frame.width, SNAPSHOT_MAX.height / frame.height);
      const size = { width: Math.round(frame.width * scale), height: Math.round(frame.height * scale) };
      const jpeg = await this.#encode(await frame.fit(size), size);
      for (const { resolve } of waiting) resolve({ ...size, jpeg, capturedAtMs: frame.capturedAtMs });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
