import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Box, Size } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { Person } from '../core/person.ts';
import type { Frame } from '../core/picture.ts';
import { ATTEMPT_MATCHES, type AttemptReport } from '../events/attempt.ts';
import type { IdentityDraft } from '../events/identity-event.ts';
import type { Detection } from '../faces/detect.ts';
import type { Face, FaceAnalyser, FaceEmbedding } from '../faces/face-analyser.ts';
import type { LivenessAssessor } from '../faces/liveness.ts';
import { curveFor, meaningOf, type ScoreCalibration, type ScoreCurve } from '../faces/score-calibration.ts';
import { type Denials, deniedPeople, NO_DENIALS } from '../gallery/denial.ts';
import type { TrackSighting } from '../gallery/visitor.ts';
import type { RunTrace } from '../inference/vision-model.ts';
import { excludedPeople } from '../tracks/assign.ts';
import { MaskMemory } from '../tracks/mask-memory.ts';
import type { Enrolled, Match } from '../tracks/sequential-test.ts';
import type { FaceTracker } from '../tracks/tracker.ts';
import type { ZoneWatch } from '../zones/zone-watch.ts';
import { Passages } from './passages.ts';
import type { Announcement, Departure, Sighting, Visits } from './visits.ts';

/** What the pipeline needs of the gallery: whoever is enrolled right now. */
export interface GalleryView {
  readonly version: number;
  has(personId: string): boolean;
  /** Best people for a unit-length probe, best first, one entry a person: compared with templates of its encoder only. */
  search(
    probe: Float32Array,
    encoder: string,
    count: number,
  ): readonly { readonly person: Person; readonly score: number }[];
  /** How many have templates of the encoder, and how many these are. */
  enrolled(encoder: string): Enrolled;
  /** Whom tracks are not, as somebody said. */
  denials?(): Denials;
}

/** Remembers what decided tracks looked like. Never throws. */
export interface VisitorLog {
  /** A stranger's track: gives the id of the visitor; null when it cannot be told. */
  admit(sighting: TrackSighting): string | null;
  /** The track of somebody known. */
  remember(sighting: TrackSighting, personId: string): void;
}

export interface CameraPipelineOptions {
  readonly camera: string;
  readonly analyser: FaceAnalyser;
  readonly tracker: FaceTracker;
  readonly visits: Visits;
  /** The gallery snapshot to use for the next frame. */
  readonly gallery: () => GalleryView;
  /** What scores mean, by fingerprint, for every encoder of the analyser. */
  readonly calibrations: ReadonlyMap<string, ScoreCalibration>;
  /** Of tracks of strangers, how many may be named: events tell it. */
  readonly falseAcceptRate: number;
  readonly liveness?: LivenessAssessor | null;
  readonly visitors?: VisitorLog | null;
  /** Faces of lesser quality are followed but not matched, 0..1. */
  readonly minQuality: number;
  readonly publish: (draft: IdentityDraft) => void;
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
/**
 * As long as a frame waits for the detector no longer than it takes one frame, or than this, frames are fetched ahead and the
 * next one is given to the detector already: else the model would wait for frames. Where more frames wait for the model,
 * the next one had better be taken as late as possible.
 */
const AHEAD_BELOW_MS = 2;
const AHEAD_BELOW_RUNS = 1.5;
/** People a face is compared with closely: the others are less likely than all of these. */
const CLOSEST = 8;
/** One frame on its way while another is there already: the way to the camera's process takes about as long as a run. */
const FETCH_AHEAD_FRAMES = 2;
/** Frames whose faces are looked for at a time: while two are in the model, the next waits right in front of it. */
const DETECT_FRAMES = 3;

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

/** Where the time of a frame went, from the decoder to the decision; the parts make up the whole. */
export type FrameLatency = Omit<IdentityDraft['latencyMs'], 'publish'>;

/** What an event says of the frame it rests on. */
type FrameFacts = Pick<Frame, 'width' | 'height' | 'capturedAtMs'>;

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
  /** Of tracks that were told unknown. */
  readonly #visitors = new Map<number, string | null>();
  readonly #masks = new MaskMemory();

  constructor(options: CameraPipelineOptions) {
    this.#options = options;
    this.#passages = new Passages(options.zones);
  }

  /** Frames that failed since the start. */
  get failedFrames(): number {
    return this.#failed;
  }

  /** Works until the frames end. Never rejects for the sake of a single frame. */
  async run(frames: AsyncIterable<Frame>): Promise<void> {
    const { analyser } = this.#options;
    const iterator = frames[Symbol.asyncIterator]();
    const coming: Promise<IteratorResult<Frame>>[] = [];
    const fetch = (frames: number) => {
      while (coming.length < frames) {
        const next = iterator.next();
        // It is waited for later; until then a failure must not count as unhandled.
        next.catch(() => {});
        coming.push(next);
      }
    };
    /** Of frames whose faces are looked for. */
    const looking = new Set<Promise<void>>();
    /** Of all frames in work, oldest first. */
    const inWork: Promise<void>[] = [];
    let settled: Promise<void> = Promise.resolve();
    let ahead = true;
    for (;;) {
      while (looking.size >= (ahead ? DETECT_FRAMES : 1)) await Promise.race(looking);
      while (inWork.length > (ahead ? DETECT_FRAMES : 1)) await inWork.shift();
      fetch(1);
      const next = await coming.shift();
      if (!next || next.done) break;
      const frame = next.value;
      const job: Job = { frame, seenMs: this.#seenAt(frame), detectTrace: { queuedMs: 0, runMs: 0 } };
      this.#work(1);
      if (ahead) fetch(FETCH_AHEAD_FRAMES);
      const detections = this.#attempt(frame, () => analyser.detect(frame, job.detectTrace));
      const detected = detections.then(() => {
        const { queuedMs, runMs } = job.detectTrace;
        ahead = queuedMs < Math.max(AHEAD_BELOW_MS, runMs * AHEAD_BELOW_RUNS);
        looking.delete(detected);
      });
      looking.add(detected);
      const before = settled;
      settled = before.then(async () => this.#finish(job, await detections));
      inWork.push(settled);
    }
    await settled;
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
    const { analyser, camera, clock, tracker, visits } = this.#options;
    const arrival = { capture: frame.captureMs, queue: 0, detect: detectTrace.runMs, embed: 0, decide: 0 };
    // The camera was opened anew: whoever stands there now need not be who stood there before.
    if (frame.sequence <= this.#sequence) {
      tracker.clear();
      this.#depart(visits.clear(), frame, arrival);
      this.#passages.clear();
      this.#visitors.clear();
      this.#masks.clear();
    }
    this.#sequence = frame.sequence;
    const gallery = this.#options.gallery();
    if (gallery.version !== this.#galleryVersion) visits.galleryChanged((person) => gallery.has(person));
    this.#galleryVersion = gallery.version;
    const denials = gallery.denials?.() ?? NO_DENIALS;
    // Whoever was told apart from somebody is looked at as if they had just come.
    if (denials.version !== this.#denials) visits.galleryChanged((person) => !denials.people.has(person));
    this.#denials = denials.version;

    const { seen, ended } = tracker.update(detections, seenMs);
    this.#depart(visits.end(ended), frame, arrival);
    for (const track of ended) {
      this.#passages.take(track);
      this.#visitors.delete(track);
    }
    this.#masks.forget(ended);
    for (const { track, detection } of seen) this.#passages.see(track, detection.box, frame);
    const started = clock.monotonic();
    const trace: RunTrace = { queuedMs: 0, runMs: 0 };
    const wanted = seen.filter(({ track, detection: { box, score }, speed, doubtful }) =>
      visits.wants(track, { box, picture: frame, score, speed }, doubtful || this.#isElsewhere(track), seenMs),
    );
    const described = await analyser.describe(
      frame,
      wanted.map(({ detection }) => detection),
      trace,
    );
    const good: { face: Face; track: number }[] = [];
    described.forEach((face, index) => {
      const track = wanted[index]?.track ?? 0;
      const mask = this.#masks.see(track, face.mask);
      if (face.quality.score >= this.#options.minQuality) good.push({ face: { ...face, mask }, track });
      else visits.disregard(track, face.quality.score);
    });
    const embeddings = await analyser.embed(
      frame,
      good.map(({ face }) => face),
      trace,
    );
    const lives = await this.#lives(frame, good, trace);
    const embedded = clock.monotonic();
    const latency = () => {
      const decide = clock.monotonic() - embedded;
      const embed = Math.max(0, embedded - started - trace.queuedMs);
      const worked = frame.captureMs + detectTrace.runMs + embed + decide;
      const queue = Math.max(0, clock.now() - frame.capturedAtMs - worked);
      return { capture: frame.captureMs, queue, detect: detectTrace.runMs, embed, decide };
    };

    const looks = good.flatMap(({ track }, index) => {
      const embedding = embeddings[index];
      return embedding ? [{ track, embedding: embedding.embedding, encoder: embedding.encoder }] : [];
    });
    const renamings = tracker.tell(looks, seenMs);
    visits.rename(renamings);
    this.#passages.rename(renamings);
    for (const { from, to, merged } of renamings) {
      const visitor = this.#visitors.get(from);
      if (!merged) continue;
      this.#visitors.delete(from);
      if (visitor) this.#visitors.set(to, visitor);
    }
    // Who takes a number over may look otherwise: what was believed of either is not of the other.
    this.#masks.forget(renamings.flatMap(({ from, to }) => [from, to]));
    const numbers = new Map(renamings.map(({ from, to }) => [from, to]));
    const present = seen.map(({ track }) => numbers.get(track) ?? track);
    const looked = good.map(({ face, track }) => ({ face, track: numbers.get(track) ?? track }));

    const found = looked.map(({ face }, index) => this.#matches(gallery, face, embeddings[index] ?? null));
    const held = present.flatMap((track) => {
      const identity = looked.some((one) => one.track === track) ? null : visits.identity(track);
      return identity ? [identity] : [];
    });
    const excluded = excludedPeople(
      found.map(({ matches }) => matches),
      held,
    );
    const told: { box: Box; draft: IdentityDraft }[] = [];
    looked.forEach(({ face, track }, index) => {
      const embedding = embeddings[index];
      if (!embedding) {
        visits.dismiss(track);
        return;
      }
      this.#passages.look(track, face);
      const { matches, denied, curve } = found[index] ?? this.#matches(gallery, face, embedding);
      const sighting = {
        atMs: seenMs,
        quality: face.quality.score,
        matches,
        excluded: new Set([...(excluded[index] ?? []), ...denied]),
        encoder: embedding.encoder,
        curve,
        face: embedding,
        mask: face.mask?.state ?? null,
        live: lives[index] ?? null,
      };
      const enrolled = gallery.enrolled(embedding.encoder);
      const announcement = visits.observe(track, sighting, enrolled, seenMs) ?? this.#elsewhere(track, sighting);
      this.#options.onAttempt?.(this.#attemptOf(track, sighting, frame));
      if (!announcement) return;
      this.#remember(track, announcement, frame);
      const draft = this.#draft(frame, face, track, announcement, latency());
      this.#options.publish(draft);
      told.push({ box: face.box, draft });
    });
    const { spectator } = this.#options;
    if (spectator) for (const { box, draft } of told) await spectator.announced(frame, box, draft);
    // What is too poor to match, or no face, does not count: while nothing moves it stays so, and would be watched for ever.
    if (looked.some(({ track }, index) => embeddings[index] && visits.undecided(track))) {
      this.#options.attend?.(ATTENTION_MS);
    }
    return {
      camera,
      faces: detections.length,
      looked: looked.length,
      announced: told.length,
      present: this.#passages.present,
      latencyMs: latency(),
    };
  }

  /** Whom a face is most like, and what that means; nobody for what is no face. */
  #matches(
    gallery: GalleryView,
    { mask }: Face,
    face: FaceEmbedding | null,
  ): { matches: readonly Match[]; denied: ReadonlySet<string>; curve: ScoreCurve } {
    const calibration = face ? this.#options.calibrations.get(face.encoder) : {};
    const curve = curveFor(calibration ?? {}, mask?.state ?? null);
    if (!face) return { matches: [], denied: new Set(), curve: curve ?? NO_CURVE };
    if (!curve) throw new RangeError(`encoder ${face.encoder} is not calibrated`);
    const closest = gallery.search(face.embedding, face.encoder, CLOSEST);
    const matches = closest.map(({ person, score }) => ({ person, ...meaningOf(curve, score) }));
    const denied = deniedPeople(gallery.denials?.() ?? NO_DENIALS, face.embedding, face.encoder, closest);
    return { matches, denied, curve };
  }

  async #lives(frame: Frame, faces: readonly { readonly face: Face }[], trace: RunTrace): Promise<readonly number[]> {
    const { liveness } = this.#options;
    return liveness
      ? await liveness.assess(
          frame,
          faces.map(({ face }) => face.box),
          trace,
        )
      : [];
  }

  #remember(track: number, { verdict, portrait }: Announcement, { capturedAtMs }: FrameFacts): void {
    const { camera, visitors } = this.#options;
    if (!visitors || portrait.length === 0) return;
    const sighting = { track: `${camera}-${track}`, camera, seenAtMs: capturedAtMs, templates: portrait };
    if (verdict.decision === 'known') {
      this.#visitors.delete(track);
      visitors.remember(sighting, verdict.person.id);
    } else this.#visitors.set(track, visitors.admit(sighting));
  }

  /** Whether somebody known is in a zone, or came over a line, that no event told of: a look must confirm who it is. */
  #isElsewhere(track: number): boolean {
    return this.#options.visits.identity(track) !== null && this.#passages.isElsewhere(track);
  }

  /** A look confirms who the track is known to be: who is elsewhere than was told, is told anew. */
  #elsewhere(track: number, look: Sighting): Announcement | null {
    const verdict = this.#isElsewhere(track) ? this.#options.visits.confirmed(track, look) : null;
    return verdict && { type: 'update', verdict, portrait: [] };
  }

  #attemptOf(track: number, look: Sighting, { capturedAtMs }: FrameFacts): AttemptReport {
    const { camera, visits } = this.#options;
    return {
      schema: 'eyeline.attempt/1',
      camera,
      track: `${camera}-${track}`,
      capturedAt: new Date(capturedAtMs).toISOString(),
      quality: look.quality,
      mask: look.mask,
      encoder: look.encoder,
      liveness: look.live,
      matches: look.matches.slice(0, ATTEMPT_MATCHES).map(({ person, score, llr }) => ({
        person: person.id,
        score: Math.max(-1, Math.min(1, score)),
        llr,
        excluded: look.excluded.has(person.id),
      })),
      decision: visits.verdict(track),
      person: visits.identity(track)?.personId ?? null,
    };
  }

  /** Tells that tracks have ended, as of this frame. */
  #depart(departures: readonly Departure[], frame: FrameFacts, latencyMs: FrameLatency): void {
    for (const { track, verdict } of departures) {
      const passage = this.#passages.get(track);
      if (!passage?.face) continue;
      const face = { ...passage.face, box: passage.box };
      this.#options.publish(this.#draft(frame, face, track, { type: 'exit', verdict }, latencyMs));
    }
  }

  #draft(
    frame: FrameFacts,
    face: Face,
    track: number,
    { type, verdict }: Pick<Announcement | (Departure & { readonly type: 'exit' }), 'type' | 'verdict'>,
    latencyMs: FrameLatency,
  ): IdentityDraft {
    const { camera, clock, falseAcceptRate } = this.#options;
    const person: Person | null = verdict.decision === 'known' ? verdict.person : null;
    const passage = this.#passages.get(track);
    this.#passages.tell(track, verdict.frames);
    return {
      type,
      camera,
      track: `${camera}-${track}`,
      firstSeenAtMs: passage?.firstSeenAtMs ?? frame.capturedAtMs,
      lastSeenAtMs: passage?.lastSeenAtMs ?? frame.capturedAtMs,
      capturedAtMs: frame.capturedAtMs,
      decidedAtMs: clock.now(),
      decision: verdict.decision,
      person: person && { id: person.id, name: person.name },
      score: verdict.score,
      threshold: verdict.threshold,
      far: falseAcceptRate,
      mask: face.mask?.state ?? null,
      encoder: verdict.encoder,
      liveness: verdict.liveness,
      visitor: verdict.decision === 'known' ? null : (this.#visitors.get(track) ?? null),
      quality: face.quality.score,
      frames: verdict.frames,
      box: relative(face.box, frame),
      ...this.#passages.whereabouts(track),
      latencyMs,
      galleryVersion: this.#galleryVersion ?? 0,
    };
  }
}

/** Of what is no face there is nothing to mean. */
const NO_CURVE: ScoreCurve = { impostors: 1, genuine: 0, correlation: 1, points: [{ score: 1, far: 0.5, llr: 0 }] };

/** The box in 0..1 of the picture. */
function relative(box: Box, picture: Size): Box {
  return {
    x: box.x / picture.width,
    y: box.y / picture.height,
    width: box.width / picture.width,
    height: box.height / picture.height,
  };
}
