import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openGalleryStore, type SqliteGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import type { Template } from '../../src/gallery/template.ts';

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'eyeline-gallery-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A clock that stands still at `nowMs`; `tick` ends one sleep and returns when the sleeper sleeps again or is gone. */
export class ManualClock implements Clock {
  nowMs: number;
  #sleeper: { wake: () => void; signal: AbortSignal | undefined } | null = null;
  #asleep: (() => void) | null = null;

  constructor(nowMs = 1_700_000_000_000) {
    this.nowMs = nowMs;
  }

  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#sleeper = { wake: resolve, signal };
      this.#asleep?.();
    });
  }

  async tick(): Promise<void> {
    const sleepsAgain = new Promise<void>((resolve) => {
      this.#asleep = resolve;
    });
    this.#sleeper?.wake();
    await sleepsAgain;
  }
}

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A logger that keeps what it is given. */
export function keepingLogger(): Logger & { lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, fields: { ...fields } });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** A store in a folder of its own, closed after the test. */
export function openStore(
  file = join(temporaryFolder(), 'gallery.sqlite'),
  clock = new ManualClock(),
): SqliteGalleryStore {
  const store = openGalleryStore(file, { logger: silentLogger, clock });
  onTestFinished(() => store.close());
  return store;
}

/** The unit vector along one axis, leaning by `lean` (0..1, a cosine) towards another. */
export function axis(dimension: number, along: number, towards = along, lean = 0): Float32Array {
  const vector = new Float32Array(dimension);
  vector[along] = Math.sqrt(1 - lean ** 2);
  vector[towards] = (vector[towards] ?? 0) + lean;
  if (along === towards) vector[along] = 1;
  return vector;
}

let pictures = 0;

/** A template with what matters given and the rest made up; every one is of another picture. */
export function template(embedding: Float32Array, changes: Partial<Template> = {}): Template {
  pictures++;
  return {
    encoder: 'encoder-a',
    part: 'full',
    embedding,
    quality: 0.8,
    mask: null,
    sourceFile: `${pictures}.jpg`,
    pictureSha256: pictures.toString(16).padStart(64, '0'),
    ...changes,
  };
}
