import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Box } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { Frame } from '../core/picture.ts';
import type { AttemptReport } from '../events/attempt.ts';
import type { IdentityDraft } from '../events/identity-event.ts';
import type { Detection } from '../faces/detect.ts';
import type { Face, FaceAnalyser, FaceEmbedding } from '../faces/face-analyser.ts';
import type { LivenessAssessor } from '../faces/liveness.ts';
import { type Denials, deniedPeople, NO_DENIALS } from '../gallery/denial.ts';
import type { RunTrace } from '../inference/vision-model.ts';
import { excludedPeople } from '../tracks/assign.ts';
import { MaskMemory } from '../tracks/mask-memory.ts';
import type { FaceTracker, Renaming } from '../tracks/tracker.ts';
import type { ZoneWatch } from '../zones/zone-watch.ts';
import type { GalleryView } from './gallery-view.ts';
import { type Likeness, likenessOf, type ScoreMeanings } from './likeness.ts';
import { overlapStages } from './overlap-stages.ts';
import { Passages } from './passages.ts';
import { attemptReport, type FrameFacts, type FrameLatency, trackId } from './reports.ts';
import { TrackTelling, type TrackTellingOptions } from './track-telling.ts';
import type { Announcement, Departure, Sighting, Visits } from './visits.ts';

export interface CameraPipelineOptions extends TrackTellingOptions {
  readonly analyser: FaceAnalyser;
  readonly tracker: FaceTracker;
  readonly visits: Visits;
  /** The gallery snapshot to use for the next frame. */
  readonly gallery: () => GalleryView;
  readonly scores: ScoreMeanings;
  readonly liveness?: LivenessAssessor | null;
  /** Faces of lesser quality are followed but not matched, 0..1. */
  readonly minQuality: number;
  readonly onFrame?: (report: FrameReport) => void;
  /** Told of every look at a face. */
  readonly onAttempt?: (report: AttemptReport) => void;
  readonly spectator?: FrameSpectator;
  /** Zones and lines of the camera's picture. */
  readonly zones?: ZoneWatch;
  /** Told how many frames are in work whenever that changes. */
  readonly onWork?: (frames: number) => void;
  /** Asks the camera for all frames for so long, also when nothing moves. */
  readonly attend?: (forMs: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Whoever wants pixels: is shown frames while they can be had. Never rejects. */
export interface FrameSpectator {
  /** Every frame. */
  pass(frame: Frame): Promise<void>;
  /** The face at `box`, pixels of the frame, is what an event tells of. */
  announced(frame: Frame, box: Box, draft: IdentityDraft): Promise<void>;
}

/** A face that is not decided yet is watched for so long from the last time it was seen well. */
const ATTENTION_MS = 2000;
/** What became of one frame; times in milliseconds. */
export interface FrameReport {
  readonly camera: string;
  readonly faces: number;
  readonly looked: number;
  readonly announced: number;
  /** Whether a face that was looked at and is one is being followed. */
  readonly present: boolean;
  readonly latencyMs: FrameLatency;
}

/** One face of a frame, looked at closely. */
interface Look {
  readonly face: Face;
  readonly track: number;
  /** Null when it turned out to be no face. */
  readonly embedding: FaceEmbedding | null;
  /** Chance that it is live, 0..1; null when that is not assessed. */
  readonly live: number | null;
}

/** What the looks of a frame are judged by. */
interface Scene {
  readonly frame: Frame;
  /** Monotonic, when the frame was captured. */
  readonly seenMs: number;
  readonly gallery: GalleryView;
  readonly denials: Denials;
}

/** A frame between the two stages. */
interface Job {
  readonly frame: Frame;
  /** Monotonic, when it was captured. */
  readonly seenMs: number;
  readonly detectTrace: RunTrace;
}

/**
 * Takes the frames of one camera to decisions, in two stages that overlap: while the faces of a frame are followed,
 * described, embedded, matched and decided on, the next frame's are detected already. Frames leave each stage in the
 * order they came. A frame that fails is logged and left behind; the camera goes on.
 */
export class CameraPipeline {
  readonly #options: CameraPipelineOptions;
  #failure = '';
  #failed = 0;
  #inWork = 0;
  #sequence = 0;
  #seenMs = 0;
  #galleryVersion: number | null = null;
  #denials = NO_DENIALS.version;
  readonly #passages: Passages;
  readonly #telling: TrackTelling;
  readonly #masks = new MaskMemory();

  constructor(options: CameraPipelineOptions) {
    this.#options = options;
    this.#passages = new Passages(options.zones);
    this.#telling = new TrackTelling(options, this.#passages);
  }

  /** Frames that failed since the start. */
  get failedFrames(): number {
    return this.#failed;
  }

  /** Works until the frames end. Never rejects for the sake of a single frame. */
  async run(frames: AsyncIterable<Frame>): Promise<void> {
    const { analyser } = this.#options;
    await overlapStages<Job, readonly Detection[] | undefined>(frames, {
      begin: (frame) => {
        this.#work(1);
        return { frame, seenMs: this.#seenAt(frame), detectTrace: { queuedMs: 0, runMs: 0 } };
      },
      detect: ({ frame, detectTrace }) => this.#attempt(frame, () => analyser.detect(frame, detectTrace)),
      settle: (job, detections) => this.#finish(job, detections),
    });
  }

  /** When a frame was captured, on the monotonic clock; never before the frame before it, whatever the wall clock does. */
  #seenAt(frame: Frame): number {
    const { clock } = this.#options;
    const ageMs = Math.max(0, clock.now() - frame.capturedAtMs);
    this.#seenMs = Math.max(this.#seenMs, clock.monotonic() - ageMs);
    return this.#seenMs;
  }

  async #finish(job: Job, detections: readonly Detection[] | undefined): Promise<void> {
    try {
      const { spectator } = this.#options;
      if (spectator) await spectator.pass(job.frame);
      if (!detections) return;
      const report = await this.#attempt(job.frame, () => this.#settle(job, detections));
      if (!report) return;
      this.#failure = '';
      this.#options.onFrame?.(report);
    } finally {
      job.frame.release();
      this.#work(-1);
    }
  }

  #work(change: 1 | -1): void {
    this.#inWork += change;
    this.#options.onWork?.(this.#inWork);
  }

  async #attempt<T>(frame: Frame, work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.#failed++;
      const failure = messageOf(error);
      const { camera, logger } = this.#options;
      // A fault that lasts would fill the log at the frame rate: say it once until it changes or goes away.
      if (failure !== this.#failure) logger.error({ camera, error }, `frame ${frame.sequence} failed: ${failure}`);
      this.#failure = failure;
      return undefined;
    }
  }

  /** The second stage: from detections to decisions. */
  async #settle({ frame, seenMs, detectTrace }: Job, detections: readonly Detection[]): Promise<FrameReport> {
    const { camera, clock, spectator, tracker, visits } = this.#options;
    const arrival = { capture: frame.captureMs, queue: 0, detect: detectTrace.runMs, embed: 0, decide: 0 };
    // The camera was opened anew: whoever stands there now need not be who stood there before.
    if (frame.sequence <= this.#sequence) this.#begin(frame, arrival);
    this.#sequence = frame.sequence;
    this.#enrolled();

    const { seen, ended } = tracker.update(detections, seenMs);
    this.#depart(visits.end(ended), frame, arrival);
    this.#forget(ended);
    for (const { track, detection } of seen) this.#passages.see(track, detection.box, frame);
    const started = clock.monotonic();
    const trace: RunTrace = { queuedMs: 0, runMs: 0 };
    const wanted = seen.filter(({ track, detection: { box, score }, speed, doubtful }) =>
      visits.wants(track, { box, picture: frame, score, speed }, doubtful || this.#isElsewhere(track), seenMs),
    );
    const taken = await this.#take(frame, wanted, trace);
    const embedded = clock.monotonic();
    const latency = () => {
      const decide = clock.monotonic() - embedded;
      const embed = Math.max(0, embedded - started - trace.queuedMs);
      const worked = frame.captureMs + detectTrace.runMs + embed + decide;
      const queue = Math.max(0, clock.now() - frame.capturedAtMs - worked);
      return { capture: frame.captureMs, queue, detect: detectTrace.runMs, embed, decide };
    };

    const renamings = tracker.tell(
      taken.flatMap(({ track, embedding }) => (embedding ? [{ ...embedding, track }] : [])),
      seenMs,
    );
    this.#rename(renamings, new Set(seen.map(({ track }) => track)));
    // Somebody may have been removed while the faces were embedded: nothing below waits before it tells and keeps who it was.
    const { gallery, denials } = this.#enrolled();
    const numbers = new Map(renamings.map(({ from, to }) => [from, to]));
    const looks = taken.map((look) => ({ ...look, track: numbers.get(look.track) ?? look.track }));
    const looked = new Set(looks.map(({ track }) => track));
    const held = seen.flatMap(({ track }) => {
      const now = numbers.get(track) ?? track;
      return (looked.has(now) ? null : visits.identity(now)) ?? [];
    });
    const likenesses = looks.map((look) => this.#likeness(look, gallery));
    const excluded = excludedPeople(
      likenesses.map((likeness) => likeness?.matches ?? []),
      held,
    );
    const told = looks.flatMap((look, index) => {
      const announcement = this.#judge(look, likenesses[index] ?? null, excluded[index], {
        gallery,
        denials,
        frame,
        seenMs,
      });
      if (!announcement) return [];
      const draft = this.#telling.announce(look.track, look.face, announcement, frame, latency(), gallery.version);
      return [{ box: look.face.box, draft }];
    });
    if (spectator) for (const { box, draft } of told) await spectator.announced(frame, box, draft);
    // What is too poor to match, or no face, does not count: while nothing moves it stays so, and would be watched for ever.
    if (looks.some(({ track, embedding }) => embedding && visits.undecided(track)))
      this.#options.attend?.(ATTENTION_MS);
    return {
      camera,
      faces: detections.length,
      looked: looks.length,
      announced: told.length,
      present: this.#passages.present,
      latencyMs: latency(),
    };
  }

  /** Lets go of all tracks. */
  #begin(frame: FrameFacts, latencyMs: FrameLatency): void {
    const { tracker, visits } = this.#options;
    tracker.clear();
    this.#depart(visits.clear(), frame, latencyMs);
    this.#passages.clear();
    this.#telling.clear();
    this.#masks.clear();
  }

  #forget(ended: readonly number[]): void {
    for (const track of ended) {
      this.#passages.take(track);
      this.#telling.forget(track);
    }
    this.#masks.forget(ended);
  }

  /** Looks closely at faces; those too poor to match are left out, and their visits told. */
  async #take(
    frame: Frame,
    wanted: readonly { readonly track: number; readonly detection: Detection }[],
    trace: RunTrace,
  ): Promise<readonly Look[]> {
    const { analyser, liveness, minQuality, visits } = this.#options;
    const described = await analyser.describe(
      frame,
      wanted.map(({ detection }) => detection),
      trace,
    );
    const good = described.flatMap((face, index) => {
      const track = wanted[index]?.track ?? 0;
      const mask = this.#masks.see(track, face.mask);
      if (face.quality.score >= minQuality) return [{ face: { ...face, mask }, track }];
      visits.disregard(track, face.quality.score);
      return [];
    });
    const faces = good.map(({ face }) => face);
    const embeddings = await analyser.embed(frame, faces, trace);
    const boxes = faces.map(({ box }) => box);
    const lives = liveness ? await liveness.assess(frame, boxes, trace) : [];
    return good.map((one, index) => ({ ...one, embedding: embeddings[index] ?? null, live: lives[index] ?? null }));
  }

  /** Looks have shown that faces are of other tracks. */
  #rename(renamings: readonly Renaming[], inSight: ReadonlySet<number>): void {
    this.#options.visits.rename(renamings, inSight);
    this.#passages.rename(renamings);
    this.#telling.rename(renamings);
    // Who takes a number over may look otherwise: what was believed of either is not of the other.
    this.#masks.forget(renamings.flatMap(({ from, to }) => [from, to]));
  }

  /** Whom a look is like; null for what is no face. */
  #likeness({ embedding, face }: Look, gallery: GalleryView): Likeness | null {
    return embedding && likenessOf(embedding, face.mask?.state ?? null, gallery, this.#options.scores);
  }

  /** Takes a look into account; gives what is to be announced, if anything. */
  #judge(
    { face, track, embedding, live }: Look,
    likeness: Likeness | null,
    excluded: ReadonlySet<string> | undefined,
    { denials, frame, gallery, seenMs }: Scene,
  ): Announcement | null {
    const { camera, onAttempt, visits } = this.#options;
    if (!embedding || !likeness) {
      visits.dismiss(track);
      return null;
    }
    this.#passages.look(track, face);
    const firstSeenAtMs = this.#passages.get(track)?.firstSeenAtMs ?? frame.capturedAtMs;
    const denied = deniedPeople(
      denials,
      { ...embedding, track: trackId(camera, track), firstSeenAtMs },
      likeness.matches,
    );
    const sighting: Sighting = {
      atMs: seenMs,
      quality: face.quality.score,
      matches: likeness.matches,
      excluded: new Set([...(excluded ?? []), ...denied]),
      encoder: embedding.encoder,
      curve: likeness.curve,
      face: embedding,
      mask: face.mask?.state ?? null,
      live,
    };
    const enrolled = gallery.enrolled(embedding.encoder);
    const announcement = visits.observe(track, sighting, enrolled, seenMs) ?? this.#elsewhere(track, sighting);
    const soFar = { decision: visits.verdict(track), person: visits.identity(track)?.personId ?? null };
    onAttempt?.(attemptReport(camera, track, sighting, frame, soFar));
    if (announcement) this.#telling.remember(track, announcement, frame);
    return announcement;
  }

  /** Who is enrolled now, and who was told apart from whom; what was found of others counts no more. */
  #enrolled(): { gallery: GalleryView; denials: Denials } {
    const { visits } = this.#options;
    const gallery = this.#options.gallery();
    if (gallery.version !== this.#galleryVersion) visits.galleryChanged((person) => gallery.has(person));
    this.#galleryVersion = gallery.version;
    const denials = gallery.denials?.() ?? NO_DENIALS;
    // Whoever was told apart from somebody is looked at as if they had just come.
    if (denials.version !== this.#denials) visits.galleryChanged((person) => !denials.people.has(person));
    this.#denials = denials.version;
    return { gallery, denials };
  }

  /** Whether somebody known is in a zone, or came over a line, that no event told of: a look must confirm who it is. */
  #isElsewhere(track: number): boolean {
    return this.#options.visits.identity(track) !== null && this.#passages.isElsewhere(track);
  }

  /** A look confirms who the track is known to be: who is elsewhere than was told, is told anew. */
  #elsewhere(track: number, look: Sighting): Announcement | null {
    const verdict = this.#isElsewhere(track) ? this.#options.visits.confirm(track, look) : null;
    return verdict && { type: 'update', verdict, portrait: [] };
  }

  /** Tells that tracks have ended, as of this frame. */
  #depart(departures: readonly Departure[], frame: FrameFacts, latencyMs: FrameLatency): void {
    this.#telling.depart(departures, frame, latencyMs, this.#galleryVersion ?? 0);
  }
}
