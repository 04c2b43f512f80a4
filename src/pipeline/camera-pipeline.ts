import type { Clock } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { Box, Size } from '../core/geometry.ts';
import type { Logger } from '../core/logger.ts';
import type { Person } from '../core/person.ts';
import type { Frame } from '../core/picture.ts';
import type { IdentityDraft } from '../events/identity-event.ts';
import type { Face, FaceAnalyser } from '../faces/face-analyser.ts';
import { assignPeople, type Candidate } from '../tracks/assign.ts';
import type { FaceTracker } from '../tracks/tracker.ts';
import type { Announcement, Visits } from './visits.ts';

/** What the pipeline needs of the gallery: whoever is enrolled right now. */
export interface GalleryView {
  readonly version: number;
  has(personId: string): boolean;
  /** Best people for a unit-length probe, best first, one entry a person. */
  search(probe: Float32Array, count: number): readonly Candidate[];
}

export interface CameraPipelineOptions {
  readonly camera: string;
  readonly analyser: FaceAnalyser;
  readonly tracker: FaceTracker;
  readonly visits: Visits;
  /** The gallery snapshot to use for the next frame. */
  readonly gallery: () => GalleryView;
  /** Least cosine similarity of a match, and the false accept rate it was measured to have (null: not measured). */
  readonly threshold: number;
  readonly far: number | null;
  /** Faces of lesser quality are followed but not matched, 0..1. */
  readonly minQuality: number;
  readonly publish: (draft: IdentityDraft) => void;
  readonly onFrame?: (report: FrameReport) => void;
  /** Asks the camera for all frames for so long, also when nothing moves. */
  readonly attend?: (forMs: number) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A face that is not decided yet is watched for so long from the last time it was seen well. */
const ATTENTION_MS = 2000;

/** What became of one frame; times in milliseconds. */
export interface FrameReport {
  readonly camera: string;
  readonly faces: number;
  readonly looked: number;
  readonly announced: number;
  readonly captureMs: number;
  readonly detectMs: number;
  readonly embedMs: number;
  readonly decideMs: number;
}

/**
 * Takes the frames of one camera to decisions: detect, track, describe and embed the faces that still need it, match,
 * decide, publish. A frame that fails is logged and left behind; the camera goes on.
 */
export class CameraPipeline {
  readonly #options: CameraPipelineOptions;
  #failure = '';
  #failed = 0;
  #sequence = 0;
  #galleryVersion: number | null = null;

  constructor(options: CameraPipelineOptions) {
    this.#options = options;
  }

  /** Frames that failed since the start. */
  get failedFrames(): number {
    return this.#failed;
  }

  /** Works until the frames end. Never rejects for the sake of a single frame. */
  async run(frames: AsyncIterable<Frame>): Promise<void> {
    for await (const frame of frames) {
      try {
        const report = await this.#process(frame);
        this.#failure = '';
        this.#options.onFrame?.(report);
      } catch (error) {
        this.#failed++;
        const failure = messageOf(error);
        const { camera, logger } = this.#options;
        // A fault that lasts would fill the log at the frame rate: say it once until it changes or goes away.
        if (failure !== this.#failure) logger.error({ camera, error }, `frame ${frame.sequence} failed: ${failure}`);
        this.#failure = failure;
      } finally {
        frame.release();
      }
    }
  }

  async #process(frame: Frame): Promise<FrameReport> {
    const { analyser, camera, clock, tracker, visits } = this.#options;
    const started = clock.monotonic();
    // The camera was opened anew: whoever stands there now need not be who stood there before.
    if (frame.sequence <= this.#sequence) {
      tracker.clear();
      visits.clear();
    }
    this.#sequence = frame.sequence;
    const gallery = this.#options.gallery();
    if (gallery.version !== this.#galleryVersion) visits.galleryChanged((person) => gallery.has(person));
    this.#galleryVersion = gallery.version;
    const detections = await analyser.detect(frame);
    const detected = clock.monotonic();

    const { seen, ended } = tracker.update(detections, detected);
    visits.end(ended);
    const wanted = seen.filter(({ track, detection: { box, score }, speed, doubtful }) =>
      visits.wants(track, { box, picture: frame, score, speed }, doubtful, detected),
    );
    const described = await analyser.describe(
      frame,
      wanted.map(({ detection }) => detection),
    );
    const good: { face: Face; track: number }[] = [];
    described.forEach((face, index) => {
      const track = wanted[index]?.track ?? 0;
      if (face.quality.score >= this.#options.minQuality) good.push({ face, track });
      else visits.disregard(track, face.quality.score);
    });
    const embeddings = await analyser.embed(
      frame,
      good.map(({ face }) => face),
    );
    const embedded = clock.monotonic();

    const looks = good.flatMap(({ track }, index) => {
      const embedding = embeddings[index];
      return embedding ? [{ track, embedding, encoder: analyser.encoder }] : [];
    });
    const renamings = tracker.tell(looks, detected);
    visits.rename(renamings);
    const numbers = new Map(renamings.map(({ from, to }) => [from, to]));
    const present = seen.map(({ track }) => numbers.get(track) ?? track);
    const looked = good.map(({ face, track }) => ({ face, track: numbers.get(track) ?? track }));

    const candidates = embeddings.map((embedding) => (embedding && gallery.search(embedding, 1)[0]) ?? null);
    const held = present.flatMap((track) => {
      const identity = looked.some((one) => one.track === track) ? null : visits.identity(track);
      return identity ? [identity] : [];
    });
    const people = assignPeople(candidates, this.#options.threshold, held);
    let announced = 0;
    looked.forEach(({ face, track }, index) => {
      const embedding = embeddings[index];
      if (!embedding) {
        visits.dismiss(track);
        return;
      }
      const sighting = {
        person: people[index] ?? null,
        score: candidates[index]?.score ?? null,
        quality: face.quality.score,
        embedding,
      };
      const announcement = visits.observe(track, sighting, embedded);
      if (!announcement) return;
      announced++;
      const times = {
        capture: frame.captureMs,
        detect: detected - started,
        embed: embedded - detected,
        decide: clock.monotonic() - embedded,
      };
      this.#options.publish(this.#draft(frame, face, track, announcement, gallery.version, times));
    });
    // What is too poor to match, or no face, does not count: while nothing moves it stays so, and would be watched for ever.
    if (looked.some(({ track }, index) => embeddings[index] && visits.undecided(track))) {
      this.#options.attend?.(ATTENTION_MS);
    }
    return {
      camera,
      faces: detections.length,
      looked: looked.length,
      announced,
      captureMs: frame.captureMs,
      detectMs: detected - started,
      embedMs: embedded - detected,
      decideMs: clock.monotonic() - embedded,
    };
  }

  #draft(
    frame: Frame,
    face: Face,
    track: number,
    { type, verdict }: Announcement,
    galleryVersion: number,
    latencyMs: IdentityDraft['latencyMs'],
  ): IdentityDraft {
    const { analyser, camera, clock, far, threshold } = this.#options;
    const person: Person | null = verdict.decision === 'known' ? verdict.person : null;
    return {
      type,
      camera,
      track: `${camera}-${track}`,
      capturedAtMs: frame.capturedAtMs,
      decidedAtMs: clock.now(),
      decision: verdict.decision,
      person: person && { id: person.id, name: person.name },
      score: verdict.score,
      threshold,
      far,
      mask: null,
      encoder: analyser.encoder,
      liveness: null,
      quality: face.quality.score,
      frames: verdict.frames,
      box: relative(face.box, frame),
      latencyMs,
      galleryVersion,
    };
  }
}

/** The box in 0..1 of the picture. */
function relative(box: Box, picture: Size): Box {
  return {
    x: box.x / picture.width,
    y: box.y / picture.height,
    width: box.width / picture.width,
    height: box.height / picture.height,
  };
}
