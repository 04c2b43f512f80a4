import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FacePart } from '../core/person.ts';
import { type EncoderSnapshots, withoutOtherTemplates } from './encoder-snapshots.ts';
import type { GalleryChanges, TombstoneRecord } from './gallery-changes.ts';
import { GalleryTemplates, type LiveEncoder } from './gallery-templates.ts';
import { type BuildGraph, buildHnsw } from './search/build-hnsw.ts';
import type { SnapshotOptions } from './snapshot.ts';
import type { GalleryEncoder, TemplateMatrix } from './template.ts';

/** What the live gallery reads from; `SqliteGalleryStore` fits. */
export interface GallerySource {
  /** Whether the gallery has changed since `version`. */
  changed(version: number): boolean;
  loadTemplates(encoder: GalleryEncoder, part: FacePart): TemplateMatrix;
  /** What changed since that version, all of one moment. */
  changesSince(version: number): GalleryChanges;
  /** Those deleted after that version and not added again. */
  tombstones(since: number): readonly Pick<TombstoneRecord, 'id' | 'version'>[];
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
  readonly encoders: readonly LiveEncoder[];
  /** Of how many templates a person's score is the mean; 1 when left out. */
  readonly bestOf?: SnapshotOptions['bestOf'];
  /** From how many templates on a graph is searched instead of all of them; never when left out. */
  readonly graphFrom?: number;
  /** {@link buildHnsw} when left out. */
  readonly buildGraph?: BuildGraph;
  /**
   * Told of everybody who was deleted, by whatever process: at the start of all there are tombstones of, later of new ones. When it
   * throws, it is told again.
   */
  readonly onDeleted?: (ids: readonly string[]) => void;
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
  readonly #told = { foreign: '', masked: '', deletion: '' };
  readonly #templates: GalleryTemplates;
  /** Version up to which deletions were told of. */
  #toldDeleted = 0;

  constructor(options: LiveGalleryOptions) {
    const { bestOf = 1, buildGraph = buildHnsw, encoders, graphFrom = Number.POSITIVE_INFINITY, logger } = options;
    this.#options = options;
    this.#templates = new GalleryTemplates({
      encoders,
      bestOf,
      graphFrom,
      buildGraph,
      logger,
      onReplaced: (snapshot) => {
        this.#snapshot = snapshot;
      },
    });
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
      this.#tellDeleted(this.#source);
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
    await this.#templates.stop();
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
        // It may be another file: what was told of the one before says nothing.
        this.#toldDeleted = 0;
        this.#load(this.#source);
      }
      this.#removeExpired(this.#source);
      if (this.#source.changed(this.current().version)) this.#update(this.#source);
      this.#tellDeleted(this.#source);
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
    this.#take(
      source,
      this.#templates.replace((encoder) => source.loadTemplates(encoder, encoder.part)),
    );
  }

  #update(source: GallerySource): void {
    const changes = source.changesSince(this.current().version);
    // An older version than before: the file was put back to what it once was.
    if (changes.to < changes.from) this.#load(source);
    else this.#take(source, this.#templates.change(changes), changes);
  }

  #tellDeleted(source: GallerySource): void {
    const { version } = this.current();
    if (!this.#options.onDeleted || this.#toldDeleted === version) return;
    const ids = source.tombstones(this.#toldDeleted).map(({ id }) => id);
    try {
      if (ids.length > 0) {
        this.#options.onDeleted(ids);
        this.#options.logger.info({ people: ids }, `erased what is kept of the tracks of ${ids.length} people deleted`);
      }
      this.#toldDeleted = version;
      this.#told.deletion = '';
    } catch (error) {
      const told = messageOf(error);
      if (told !== this.#told.deletion) {
        this.#options.logger.error({ people: ids }, `what is kept of people deleted could not be erased yet: ${told}`);
      }
      this.#told.deletion = told;
    }
  }

  #take(source: GallerySource, snapshot: EncoderSnapshots, changes?: GalleryChanges): void {
    const { logger } = this.#options;
    if (!changes || this.#told.foreign !== '' || hasForeign(changes, snapshot)) this.#warnOfForeign(source, snapshot);
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

/** Whether somebody who changed has templates, but none of the first encoder. */
function hasForeign({ people }: GalleryChanges, { snapshots: [first] }: EncoderSnapshots): boolean {
  return people.some(({ id, templates }) => templates.length > 0 && !first?.has(id));
}
