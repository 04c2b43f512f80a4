import { type Box, iou } from '../../src/core/geometry.ts';
import { normalise } from '../../src/faces/embedding.ts';
import { type Actor, SCENES, SCRIPTS, type SceneName, type Script, type Span } from './scripts.ts';
import { between, type Random, seeded, spread } from './seeded.ts';

/** Made scenes of people in front of a camera, with what a face detector would say of them and who they are. */

/** What the detector said of one frame; `person` is the truth, null where there is no face. */
export interface SceneDetection {
  readonly box: Box;
  readonly score: number;
  readonly person: number | null;
  /** Share of the face that nobody stands in front of, 0..1. */
  readonly clear: number;
  /** Who stands in front of it most. */
  readonly hiddenBy: number | null;
}

export interface SceneFrame {
  readonly nowMs: number;
  readonly detections: readonly SceneDetection[];
}

/** A camera of 1280x720 that sees 70 degrees, at the height of the faces. */
export const PICTURE = { width: 1280, height: 720 };
const FOCAL_PX = 914;
const FACE_M = 0.24;
const ASPECT = 0.74;
/** Extent of what hides others, in face boxes: a head with its hair, and a body below. */
const HEAD = { wide: 1.3, tall: 1.4 };
const BODY_WIDE = 2.6;
const MIN_FACE_PX = 40;
const NMS_IOU = 0.3;
const DIMENSION = 128;

/** The frames of a scene; the same name and seed make the same ones. */
export function playScene(name: SceneName, seed: number): SceneFrame[] {
  const random = seeded(seed * 131 + SCENES.indexOf(name));
  const script: Script = SCRIPTS[name](random);
  const gaits = script.actors.map(() => ({ hz: between(random, 1.6, 2.1), phase: random() }));
  const frames: SceneFrame[] = [];
  let shake = { x: 0, y: 0 };
  for (let index = 0; (index * 1000) / script.fps <= script.untilMs; index++) {
    // Frames never come at quite the same distance.
    const nowMs = (index * 1000) / script.fps + between(random, -8, 8);
    const shakePx = script.shakePx ?? 0;
    shake = { x: 0.6 * shake.x + shakePx * spread(random), y: 0.6 * shake.y + shakePx * spread(random) };
    const heads = script.actors.map((actor, person) => {
      const gait = gaits[person] ?? { hz: 2, phase: 0 };
      return headAt(actor, nowMs, Math.sin(2 * Math.PI * ((nowMs / 1000) * gait.hz + gait.phase)), shake);
    });
    const detections = detect(heads, random);
    const lost = random() < (script.dropped ?? 0) || within(script.frozen, nowMs);
    const held = within(script.idle, nowMs) && index % script.fps !== 0;
    if (!lost && !held) frames.push({ nowMs, detections });
  }
  return frames;
}

/** What an encoder would say of a detection: alike for the same person, a mixture where another stands in front. */
export function embeddingOf(detection: SceneDetection, random: Random): Float32Array {
  const likeness = detection.score >= 0.7 ? between(random, 0.7, 0.9) : between(random, 0.45, 0.75);
  const noise = randomDirection(random);
  const own = detection.person === null ? randomDirection(random) : directionOf(detection.person);
  const other = detection.hiddenBy === null ? own : directionOf(detection.hiddenBy);
  const hidden = detection.hiddenBy === null ? 0 : 1 - detection.clear;
  const pure = normalise(own.map((value, at) => value * (1 - hidden) + (other[at] ?? 0) * hidden));
  return normalise(pure.map((value, at) => value * likeness + (noise[at] ?? 0) * Math.sqrt(1 - likeness ** 2)));
}

interface Head {
  readonly box: Box;
  readonly away: number;
  readonly turned: boolean;
  readonly faint: boolean;
}

function headAt(actor: Actor, nowMs: number, step: number, shake: { x: number; y: number }): Head | null {
  const next = actor.path.findIndex(([atMs]) => atMs > nowMs);
  const [from, to] = [actor.path[next - 1], actor.path[next]];
  if (!from || !to) return null;
  const part = (nowMs - from[0]) / (to[0] - from[0]);
  // Nobody starts or stops at once.
  const eased = part * part * (3 - 2 * part);
  const right = from[1] + (to[1] - from[1]) * (0.5 * part + 0.5 * eased);
  const away = from[2] + (to[2] - from[2]) * (0.5 * part + 0.5 * eased);
  const walks = Math.hypot(to[1] - from[1], to[2] - from[2]) > 0.1;
  const height = (FOCAL_PX * FACE_M) / away;
  const x = PICTURE.width / 2 + (FOCAL_PX * right) / away + shake.x;
  const y = PICTURE.height / 2 + (walks ? step * 0.08 * height : 0) + shake.y;
  return {
    box: boxAround(x, y, height * ASPECT, height),
    away,
    turned: within(actor.turned, nowMs),
    faint: within(actor.faint, nowMs),
  };
}

function detect(heads: readonly (Head | null)[], random: Random): SceneDetection[] {
  const found = heads.flatMap((head, person): SceneDetection[] => {
    // Drawn for everybody, seen or not, so that one detection does not change all that follow.
    const noise = [spread(random), spread(random), spread(random), spread(random)].map((value) => value * 0.03);
    const luck = random();
    const base = between(random, 0.88, 0.99);
    const poor = between(random, 0.42, 0.66);
    if (!head || head.turned) return [];
    const { clear, hiddenBy } = clearness(person, heads);
    const { x, y, width, height } = head.box;
    const [dx = 0, dy = 0, dw = 0, dh = 0] = noise;
    const box = clip(
      boxAround(
        x + width / 2 + dx * height,
        y + height / 2 + dy * height,
        width * Math.exp(1.3 * dw),
        height * Math.exp(1.3 * dh),
      ),
    );
    if (Math.min(box.width, box.height) < MIN_FACE_PX || box.width * box.height < 0.5 * width * height) return [];
    if (luck < 0.02 || clear < 0.4) return [];
    const faint = head.faint || luck < 0.06;
    const score = Math.min(faint ? poor : base, clear >= 0.85 ? 1 : 0.3 + 0.5 * (clear - 0.4) + 0.2 * random());
    return [{ box, score, person, clear, hiddenBy }];
  });
  const ghost = boxAround(
    between(random, 100, PICTURE.width - 100),
    between(random, 100, PICTURE.height - 100),
    between(random, 45, 110),
    between(random, 60, 150),
  );
  const believed = between(random, 0.3, 0.75);
  if (random() < 0.05) found.push({ box: ghost, score: believed, person: null, clear: 1, hiddenBy: null });

  const kept: SceneDetection[] = [];
  for (const one of found.sort((a, b) => b.score - a.score)) {
    if (kept.every((better) => iou(better.box, one.box) <= NMS_IOU)) kept.push(one);
  }
  return kept;
}

/** How much of a face is to be seen past those who are nearer, and who hides most of it. */
function clearness(person: number, heads: readonly (Head | null)[]): Pick<SceneDetection, 'clear' | 'hiddenBy'> {
  const face = heads[person];
  if (!face) return { clear: 0, hiddenBy: null };
  let [hidden, hiddenBy]: [number, number | null] = [0, null];
  heads.forEach((other, index) => {
    if (!other || index === person || other.away >= face.away) return;
    const { x, y, width, height } = other.box;
    const [wide, tall] = [width * HEAD.wide, height * HEAD.tall];
    const head = { x: x + (width - wide) / 2, y: y + height - tall, width: wide, height: tall };
    const broad = width * BODY_WIDE;
    const body = { x: x + (width - broad) / 2, y: y + height * 1.1, width: broad, height: height * 5 };
    const covered = Math.min(1, sharedArea(face.box, head) + sharedArea(face.box, body));
    if (covered > hidden) [hidden, hiddenBy] = [covered, index];
  });
  return { clear: 1 - hidden, hiddenBy };
}

/** Share of `box` that `cover` covers. */
function sharedArea(box: Box, cover: Box): number {
  const width = Math.min(box.x + box.width, cover.x + cover.width) - Math.max(box.x, cover.x);
  const height = Math.min(box.y + box.height, cover.y + cover.height) - Math.max(box.y, cover.y);
  return (Math.max(0, width) * Math.max(0, height)) / (box.width * box.height);
}

function boxAround(x: number, y: number, width: number, height: number): Box {
  return { x: x - width / 2, y: y - height / 2, width, height };
}

function clip({ x, y, width, height }: Box): Box {
  const left = Math.max(0, x);
  const top = Math.max(0, y);
  return {
    x: left,
    y: top,
    width: Math.max(0, Math.min(x + width, PICTURE.width) - left),
    height: Math.max(0, Math.min(y + height, PICTURE.height) - top),
  };
}

function within(span: Span | undefined, nowMs: number): boolean {
  return span !== undefined && nowMs >= span[0] && nowMs < span[1];
}

function directionOf(person: number): Float32Array {
  return randomDirection(seeded(7919 + person));
}

function randomDirection(random: Random): Float32Array {
  return normalise(Float32Array.from({ length: DIMENSION }, () => spread(random)));
}
