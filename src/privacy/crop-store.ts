import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { messageOf, systemCodeOf } from '../core/errors.ts';
import { type Box, boxToCrop, type Size } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { Frame } from '../core/picture.ts';
import { sealCrop } from './sealed-crop.ts';

const DAY_MS = 86_400_000;
const PURGE_EVERY_MS = 3_600_000;
const CROP: Size = { width: 224, height: 224 };
/** The picture is larger than the box of the face by this much of its longer side, on each side. */
const MARGIN = 0.3;
const DAY_FOLDER = /^\d{4}-\d\d-\d\d$/;

export interface CropStoreOptions {
  readonly folder: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /** Days after which they are deleted. */
  readonly days: number;
  /** Makes a JPEG of RGB bytes in rows. */
  readonly encode: (rgb: Uint8Array, size: Size) => Promise<Uint8Array>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Keeps the faces that events tell of as encrypted pictures, a folder a day, and deletes them in time. */
export class CropStore {
  readonly #options: CropStoreOptions;
  #purgedMs = Number.NEGATIVE_INFINITY;
  #told = '';

  constructor(options: CropStoreOptions) {
    this.#options = options;
  }

  /** Keeps the face at `box` (pixels of the frame) under the name of its track. Never rejects: a full disk stops no event. */
  async keep(frame: Frame, box: Box, track: string): Promise<void> {
    const { encode, folder, key } = this.#options;
    try {
      const matrix = boxToCrop(squareAround(box), CROP);
      const [rgb = new Uint8Array()] = await frame.cut([{ matrix, ...CROP, colour: 'rgb' }]);
      const taken = new Date(frame.capturedAtMs).toISOString();
      const day = taken.slice(0, 10);
      const name = `${taken.slice(11).replaceAll(/[:.]/g, '-')}-${track}.crop`;
      await mkdir(join(folder, day), { recursive: true, mode: 0o700 });
      await writeFile(join(folder, day, name), sealCrop(await encode(rgb, CROP), `${day}/${name}`, key), {
        mode: 0o600,
      });
    } catch (error) {
      this.#tell('kept', error);
    }
  }

  /** Deletes what is too old; looks at most once an hour. Never rejects. */
  async purge(): Promise<void> {
    const { clock, days, folder } = this.#options;
    if (clock.monotonic() - this.#purgedMs < PURGE_EVERY_MS) return;
    this.#purgedMs = clock.monotonic();
    try {
      for (const day of await readdir(folder)) {
        // A day is too old when its last moment is.
        if (!DAY_FOLDER.test(day) || Date.parse(day) + DAY_MS > clock.now() - days * DAY_MS) continue;
        await rm(join(folder, day), { recursive: true, force: true });
      }
    } catch (error) {
      if (systemCodeOf(error) !== 'ENOENT') this.#tell('deleted', error);
    }
  }

  #tell(what: string, error: unknown): void {
    const message = `face crops in ${this.#options.folder} cannot be ${what}: ${messageOf(error)}`;
    if (message !== this.#told) this.#options.logger.error({ error }, message);
    this.#told = message;
  }
}

function squareAround(box: Box): Box {
  const side = Math.max(box.width, box.height) * (1 + 2 * MARGIN);
  return { x: box.x + (box.width - side) / 2, y: box.y + (box.height - side) / 2, width: side, height: side };
}
