import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart } from '../core/person.ts';
import { combineSnapshots, type EncoderSnapshots, withoutOtherTemplates } from './encoder-snapshots.ts';
import { createSnapshot, type SnapshotOptions } from './snapshot.ts';
import type { GalleryEncoder, TemplateMatrix } from './template.ts';

/** What the live gallery reads from; `SqliteGalleryStore` fits. */
export interface GallerySource {
  /** Whether the gallery has changed since `version`. */
  changed(version: number): boolean;
  loadTemplates(encoder: GalleryEncoder, part: FacePart): TemplateMatrix;
  /** Removes whoever may not be kept any longer; gives their ids. */
  removeExpired(): string[];
  /** How many people have templates of other encoders only, and how many templates these are. */
  countForeign(fingerprint: string): { people: number; templates: number };
  close(): void;
}

/** So many people at most are named in a warning. */
const NAMED = 10;

export interface LiveGalleryOptions {
  /** Opens the gallery: at the start a missing one may be made (`create`); later a missing one is a failure. */
  readonly open: (create: boolean) => GallerySource;
  /** The encoders whose templates are taken, the full-face one first; those of others are left out. */
  readonly encoders: readonly (GalleryEncoder & { readonly part: FacePart })[];
  /** Of how many templates a person's score is the mean; 1 when left out. */
  readonly bestOf?: SnapshotOptions['bestOf'];
  /** How often the gallery is looked at. */
  readonly refreshMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * The gallery as the daemon sees it: a snapshot that is replaced as a whole soon after the gallery changed, by whatever
 * process. A gallery that cannot be read keeps the snapshot there is, is logged once, and is opened again until it can.
 */
export class LiveGallery {
  readonly #options: LiveGalleryOptions;
  readonly #stopped = new AbortController();
  readonly #listeners = new Set<(snapshot: EncoderSnapshots) => void>();
  #source: GallerySource | null = null;
  #snapshot: EncoderSnapshots | null = null;
  #watching: Promise<void> = Promise.resolve();
  #failing = false;
  /** What was warned of last, so that it is said again only when it changed. */
  readonly #told = { foreign: '', masked: '' };

  constructor(options: LiveGalleryOptions) {
    this.#options = options;
  }

  /**
   * Loads the first snapshot and watches from then on.
   *
   * @throws EyelineError GALLERY_UNREADABLE, RangeError when an embedding is damaged.
   */
  async start(): Promise<void> {
    this.#source = this.#options.open(true);
    try {
      this.#removeExpired(this.#source);
      this.#load(this.#source);
    } catch (error) {
      this.#closeSource();
      throw error;
    }
    this.#watching = this.#watch();
  }

  /** The newest snapshot. Throws Error before `start`. */
  current(): EncoderSnapshots {
    if (!this.#snapshot) throw new Error('the gallery has not been started');
    return this.#snapshot;
  }

  /** Calls `listener` with every new snapshot from now on, until the function returned is called. */
  onChange(listener: (snapshot: EncoderSnapshots) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Ends watching and closes the gallery; `current()` stays. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#watching;
    this.#closeSource();
  }

  async #watch(): Promise<void> {
    const { clock, refreshMs } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        await clock.sleep(refreshMs, signal);
      } catch {
        return;
      }
      this.#refresh();
    }
  }

  #refresh(): void {
    const { logger, open } = this.#options;
    try {
      if (!this.#source) {
        this.#source = open(false);
        this.#load(this.#source);
      }
      this.#removeExpired(this.#source);
      if (this.#source.changed(this.current().version)) this.#load(this.#source);
      if (this.#failing) logger.info({ galleryVersion: this.current().version }, 'gallery can be read again');
      this.#failing = false;
    } catch (error) {
      // The handle may be of a file that is gone: the next try opens a new one.
      this.#closeSource();
      if (!this.#failing) {
        const kept = this.current();
        logger.error(
          { galleryVersion: kept.version, people: kept.people.length },
          `${messageOf(error)}; going on with the ${kept.people.length} people read before`,
        );
      }
      this.#failing = true;
    }
  }

  #removeExpired(source: GallerySource): void {
    const ids = source.removeExpired();
    if (ids.length === 0) return;
    this.#options.logger.info({ people: ids }, `removed ${ids.length} people: the date they may be kept until is past`);
  }

  #load(source: GallerySource): void {
    const { encoders, logger, bestOf = 1 } = this.#options;
    const snapshot = combineSnapshots(
      encoders.map((encoder) => createSnapshot(source.loadTemplates(encoder, encoder.part), { bestOf })),
    );
    this.#warnOfForeign(source, snapshot);
    this.#warnOfMasked(snapshot);
    this.#snapshot = snapshot;
    const { version, people, templateCount } = snapshot;
    logger.info(
      { galleryVersion: version, people: people.length, templates: templateCount },
      `gallery holds ${people.length} people`,
    );
    for (const listener of this.#listeners) {
      try {
        listener(snapshot);
      } catch (error) {
        logger.error({ error: messageOf(error) }, 'a listener of the gallery failed');
      }
    }
  }

  #warnOfForeign(source: GallerySource, snapshot: EncoderSnapshots): void {
    const encoder = snapshot.snapshots[0]?.encoder ?? '';
    const { people, templates } = source.countForeign(encoder);
    const told = `${people} people with ${templates} templates`;
    if (people > 0 && told !== this.#told.foreign) {
      const known = snapshot.people.length === 0 ? 'nobody can be recognised' : 'they cannot be recognised';
      this.#options.logger.warn(
        { code: 'GALLERY_ENCODER_MISMATCH', people, templates, encoder },
        `gallery holds ${told} of other encoders only: ${known}; enrol them again, or configure the encoder they were enrolled with`,
      );
    }
    this.#told.foreign = people > 0 ? told : '';
  }

  /** People enrolled before there was an encoder for faces with a mask. */
  #warnOfMasked(snapshot: EncoderSnapshots): void {
    const people = withoutOtherTemplates(snapshot).map(({ id }) => id);
    const told = people.join();
    if (people.length > 0 && told !== this.#told.masked) {
      const named = people.slice(0, NAMED).join(', ') + (people.length > NAMED ? ', …' : '');
      this.#options.logger.warn(
        { code: 'GALLERY_ENCODER_MISMATCH', people: people.length, encoder: snapshot.snapshots[1]?.encoder },
        `${people.length} people have no template of the upper part of the face (${named}): with a mask on they cannot be ` +
          'recognised; enrol the same pictures again, what is missing is added',
      );
    }
    this.#told.masked = told;
  }

  #closeSource(): void {
    try {
      this.#source?.close();
    } catch (error) {
      this.#options.logger.debug({ error: messageOf(error) }, 'closing the gallery failed');
    }
    this.#source = null;
  }
}
