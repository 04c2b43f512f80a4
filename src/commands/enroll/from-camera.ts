import type { CameraConfig, Config } from '../../config/schema.ts';
import { cameras as camerasSchema } from '../../config/schema-cameras.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import type { Frame } from '../../core/picture.ts';
import { redactUrl } from '../../core/redact.ts';
import { headTurn } from '../../faces/head-turn.ts';
import { enrolShots } from '../../gallery/enrol-shots.ts';
import type { Consent } from '../../gallery/gallery-changes.ts';
import { type LiveFace, turnOf, WalkPast, type WalkPastEnd } from '../../gallery/walk-past.ts';
import { decisionParts } from '../../pipeline/decision-parts.ts';
import type { FaceTracker } from '../../tracks/tracker.ts';
import { type OpenFaceReader, openFaceReader } from '../../wiring/open-faces.ts';
import { type CommandContext, EXIT_INTERRUPTED } from '../command.ts';
import { type Configured, loadConfigured, openGallery } from '../configured.ts';
import { watchCamera } from '../watch-camera.ts';
import { Guide } from './guide.ts';

export interface CameraEnrolment {
  /** Id of a configured camera, or an address. */
  readonly camera: string;
  readonly name: string;
  /** The longest it may take, from the first frame on. */
  readonly seconds: number;
  /** What is recorded of consent and retention; null for nothing. */
  readonly consent: Partial<Consent> | null;
  readonly config?: string;
  readonly json?: boolean;
}

/**
 * `eyeline enroll --camera CAMERA --name NAME`: tells whoever stands before the camera what to do, and enrols them when there are
 * shots enough. Interrupted, it enrols nobody.
 *
 * Throws ENROLMENT_INCOMPLETE when there are not, and what opening the camera, the gallery and the models throws.
 */
export async function enrollFromCamera(options: CameraEnrolment, context: CommandContext): Promise<void> {
  const configured = await loadConfigured(options, context);
  const camera = cameraOf(configured.config, options.camera);
  const source = camera.id === options.camera ? `camera ${camera.id}` : redactUrl(options.camera);
  // Before anybody is asked to stand there.
  openGallery(configured, true).close();
  const tell = (line: string) => (options.json ? context.warn(line) : context.print(line));
  tell(`${source}: enrols ${options.name}, who should stand there alone (Ctrl-C ends it and enrols nobody)`);
  const reader = await openFaceReader(configured.config, configured.logger, {
    lowScore: configured.config.tracks.lowScore,
  });
  try {
    const seen = await watchPerson(reader, camera, configured.config, options.seconds, context, tell);
    if (context.signal.aborted) {
      context.warn('interrupted: nobody is enrolled');
      return context.exitWith(EXIT_INTERRUPTED);
    }
    store(seen, reader, source, options, configured, context);
  } finally {
    await reader.close();
  }
}

function store(
  { walk, end, lastWords }: SeenPerson,
  { encoders, sameFace }: OpenFaceReader,
  source: string,
  { name, consent, json }: CameraEnrolment,
  configured: Configured,
  context: CommandContext,
): void {
  const shots = walk.result;
  if (end === 'mixed') {
    throw new EyelineError('ENROLMENT_INCOMPLETE', `${source}: two people stood there in turn; nobody is enrolled`);
  }
  if (!shots) {
    const last = lastWords ? `; the last that was asked for: ${lastWords}` : '';
    throw new EyelineError(
      'ENROLMENT_INCOMPLETE',
      `${source}: ${walk.shots.length} good shots of one person are too few; nobody is enrolled${last}`,
    );
  }
  const gallery = openGallery(configured, true);
  try {
    const threshold = sameFace ?? Number.POSITIVE_INFINITY;
    const enrolled = gallery.atOnce(() => {
      const done = enrolShots({ name, shots, source, store: gallery, encoders, threshold });
      if (consent) gallery.setConsentOf(done.person.id, consent);
      return done;
    });
    const { person, templates, warnings } = enrolled;
    const { missing } = walk;
    const qualities = shots.map(({ quality }) => quality.score);
    if (json) {
      const told = shots.map((it) => ({ quality: it.quality.score, turn: turnOf(it) }));
      context.print(JSON.stringify({ person, source, end, shots: told, templates, missing, warnings }, null, 2));
      return;
    }
    for (const { message } of warnings) context.warn(`warning   ${name} ${message}`);
    if (missing.length > 0) {
      context.warn(`warning   no shot of the face turned ${missing.join(' or ')}: enrol again to add one`);
    }
    const [low, high] = [Math.min(...qualities), Math.max(...qualities)].map((it) => it.toFixed(2));
    context.print(
      `enrolled  ${person.name} (${person.id}) from ${shots.length} shots, ${templates} templates, quality ${low} to ${high}`,
    );
  } finally {
    gallery.close();
  }
}

/** The camera of that id, or one made of an address. Throws USAGE when it is neither. */
function cameraOf(config: Config, text: string): CameraConfig {
  const configured = config.cameras.find(({ id }) => id === text);
  if (configured) return configured;
  if (/[/:]/.test(text)) {
    const made = camerasSchema.safeParse([{ id: 'camera', source: text }]);
    const [camera] = made.success ? made.data : [];
    if (camera) return camera;
  }
  const ids = config.cameras.map(({ id }) => id).join(', ') || 'none is';
  throw new EyelineError('USAGE', `"${redactUrl(text)}" is no camera of the configuration (${ids}) and no URL of one`);
}

/** What a camera saw of the person to be enrolled. */
interface SeenPerson {
  readonly walk: WalkPast;
  /** Why it ended; `time` when it was given no more. */
  readonly end: WalkPastEnd | 'time';
  /** The last that was said to the person. */
  readonly lastWords: string;
}

/** Watches until there are enough shots, the person has gone, the time is over or the command is interrupted. */
async function watchPerson(
  reader: OpenFaceReader,
  camera: CameraConfig,
  config: Config,
  seconds: number,
  context: CommandContext,
  tell: (line: string) => void,
): Promise<SeenPerson> {
  // Throws where nobody knows which score means the same person.
  const tracker = decisionParts(config, reader).tracker();
  const { sameFace, differentFace } = reader;
  const walk = new WalkPast({
    limits: config.enrolment,
    sameFace: sameFace ?? Number.POSITIVE_INFINITY,
    differentFace: differentFace ?? Number.POSITIVE_INFINITY,
  });
  const guide = new Guide(tell);
  const over = new AbortController();
  const options = {
    input: reader.detectorInput,
    retry: config.capture.retry,
    env: context.env,
    signal: AbortSignal.any([context.signal, over.signal]),
  };
  // Somebody who stands still is to be seen at the full rate.
  const steady = { ...camera, motion: { ...camera.motion, enabled: false } };
  try {
    await watchCamera(steady, options, async (frames) => {
      let started = false;
      for await (const frame of frames) {
        if (!started) void endAfter(seconds, over, systemClock);
        started = true;
        await look(frame, { reader, tracker, walk, guide, clock: systemClock });
        if (walk.end) return;
      }
    });
  } finally {
    over.abort();
  }
  return { walk, end: walk.end ?? 'time', lastWords: guide.lastWords };
}

interface Watching {
  readonly reader: OpenFaceReader;
  readonly tracker: FaceTracker;
  readonly walk: WalkPast;
  readonly guide: Guide;
  readonly clock: Clock;
}

async function look(frame: Frame, { reader, tracker, walk, guide, clock }: Watching): Promise<void> {
  try {
    const nowMs = clock.monotonic();
    const { seen } = tracker.update(await reader.detect(frame), nowMs);
    const read = await reader.readFaces(
      frame,
      seen.map(({ detection }) => detection),
    );
    const looks = seen.flatMap(({ track, doubtful }, index) => {
      const face = read[index];
      return face ? [{ ...face, track, doubtful }] : [];
    });
    const faces = looks.map(
      (face): LiveFace => ({
        ...face,
        track: face.doubtful ? null : face.track,
        turn: headTurn(face.landmarks.five),
      }),
    );
    const hint = walk.see(faces, nowMs);
    guide.say(hint, walk.shots.length, nowMs);
    tracker.tell(
      looks.flatMap(({ track, embeddings: [full] }) => (full ? [{ ...full, track }] : [])),
      nowMs,
    );
  } finally {
    frame.release();
  }
}

async function endAfter(seconds: number, over: AbortController, clock: Clock): Promise<void> {
  await clock.sleep(seconds * 1000, over.signal).catch(() => undefined);
  over.abort();
}
