import { cosine } from '../faces/embedding.ts';
import { chooseFace, type EnrolmentLimits, type FaceScores, type ReadFace } from './choose-face.ts';

/** A face in a frame of a camera before which somebody is to be enrolled. */
export interface LiveFace extends ReadFace {
  /** Of the tracker; null where it may be somebody else than before. */
  readonly track: number | null;
  /** How far the head is turned (faces/head-turn): positive is the person's own left. */
  readonly turn: number;
}

export const TURNS = ['front', 'left', 'right'] as const;
/** Whereto a head is turned, as the person sees it. */
export type Turn = (typeof TURNS)[number];

/** What the person before the camera is to do. */
export type Hint =
  | 'STEP_UP'
  | 'ALONE'
  | 'SOMEBODY_ELSE'
  | 'CLOSER'
  | 'MASK_OFF'
  | 'HOLD_STILL'
  | 'MORE_LIGHT'
  | 'TURN_BACK'
  | 'INTO_THE_PICTURE'
  | 'LOOK_STRAIGHT'
  | 'TURN_LEFT'
  | 'TURN_RIGHT'
  | 'MOVE'
  | 'DONE';

export interface WalkPastPolicy {
  readonly limits: EnrolmentLimits;
  /** Least cosine by the full-face encoder to count as the same person. */
  readonly sameFace: number;
  /** Faces less alike than this are of two people. */
  readonly differentFace: number;
}

/** Why it is over: there are shots enough; whoever it was has gone and left enough to serve; two people came in turn. */
export type WalkPastEnd = 'enough' | 'gone' | 'mixed';

/** A head turned further than this, in distances of the eyes, is turned to the side. */
const SIDE_TURN = 0.15;
/** With so many shots, and one of each turn, there are enough; at the end of the time fewer serve. */
const ENOUGH_SHOTS = 5;
const LEAST_SHOTS = 3;
const SHOTS_A_TURN = 3;
/** What is more alike than this says nothing new: frames a tenth of a second apart have 0.95 and more. */
const NEARLY_THE_SAME = 0.92;
/** A shot takes another's place when its quality is higher by this much. */
const CLEARLY_BETTER = 0.05;
/** What has less than this share of the best quality had is not kept. */
const GOOD_SHARE = 0.8;
/** So many good looks at somebody else are no accident any more: half a second at ten frames a second. */
const RIVAL_LOOKS = 5;
/** So many looks that are not like the others are somebody else, though no break was seen while the face was followed. */
const DOUBTFUL_LOOKS = 15;
/** Who is not seen for so long has gone. */
const GONE_MS = 5000;

const HINT_OF_PART: readonly (readonly [keyof FaceScores, Hint])[] = [
  ['size', 'CLOSER'],
  ['sharpness', 'HOLD_STILL'],
  ['exposure', 'MORE_LIGHT'],
  ['pose', 'TURN_BACK'],
  ['completeness', 'INTO_THE_PICTURE'],
];
const HINT_OF_TURN: Readonly<Record<Turn, Hint>> = {
  front: 'LOOK_STRAIGHT',
  left: 'TURN_LEFT',
  right: 'TURN_RIGHT',
};

/** Looks that are alike, hence of one person. */
interface Group {
  shots: LiveFace[];
  /** Good looks, kept or not. */
  looks: number;
  readonly tracks: Set<number>;
}

/**
 * Chooses what is enrolled of somebody who walks up to a camera, and says what they should do: shots of good quality that are
 * unlike each other, some of each turn of the head, all of one person. A frame with two people gives none. Looks are put
 * together by what they look like; looks in doubt while the face was followed (a hand before it) are left out, and
 * somebody else who stays ends it: nobody could tell whose name it is to be. Pure but for what it keeps; nothing is stored.
 */
export class WalkPast {
  readonly #policy: WalkPastPolicy;
  #groups: Group[] = [];
  #seenMs = Number.NEGATIVE_INFINITY;
  #nowMs = Number.NEGATIVE_INFINITY;

  constructor(policy: WalkPastPolicy) {
    this.#policy = policy;
  }

  /** What is kept of the person seen most. */
  get shots(): readonly LiveFace[] {
    return this.#leading?.shots ?? [];
  }

  /** What may be enrolled of them: null while there are too few, or when two people came in turn. */
  get result(): readonly LiveFace[] | null {
    return this.shots.length >= LEAST_SHOTS && !this.#isMixed ? this.shots : null;
  }

  /** Turns of the head of which there is no shot. */
  get missing(): readonly Turn[] {
    return TURNS.filter((turn) => !this.shots.some((shot) => turnOf(shot) === turn));
  }

  /** Why nothing more is to be looked at; null while there is. */
  get end(): WalkPastEnd | null {
    if (this.#isMixed) return 'mixed';
    if (this.shots.length >= ENOUGH_SHOTS && this.missing.length === 0) return 'enough';
    return this.result && this.#nowMs - this.#seenMs >= GONE_MS ? 'gone' : null;
  }

  /** Takes in the faces of a frame seen at `nowMs` (monotonic) and says what is to be done next. */
  see(faces: readonly LiveFace[], nowMs: number): Hint {
    this.#nowMs = nowMs;
    const choice = chooseFace(faces, this.#policy.limits);
    if (faces.length > 0) this.#seenMs = nowMs;
    if (!choice.face) {
      if (choice.code === 'NO_FACE') return 'STEP_UP';
      if (choice.code === 'SEVERAL_FACES') return 'ALONE';
      return choice.code === 'FACE_TOO_SMALL' ? 'CLOSER' : hintOfWeakest(faces);
    }
    const { face } = choice;
    if (face.mask !== null && face.mask.state !== 'none') return 'MASK_OFF';
    const group = this.#groupOf(face);
    const kept = keep(group, face);
    if (this.#isSomebodyElse(group)) return 'SOMEBODY_ELSE';
    if (this.end === 'enough') return 'DONE';
    if (!kept && face.quality.score < GOOD_SHARE * bestQuality(group)) return hintOfWeakest([face]);
    const [turn] = this.missing;
    return turn ? HINT_OF_TURN[turn] : 'MOVE';
  }

  get #leading(): Group | undefined {
    return this.#groups.reduce<Group | undefined>(
      (most, it) => (most && most.looks >= it.looks ? most : it),
      undefined,
    );
  }

  get #isMixed(): boolean {
    const leading = this.#leading;
    return this.#groups.some(
      (it) => it !== leading && it.looks >= (this.#isSomebodyElse(it) ? RIVAL_LOOKS : DOUBTFUL_LOOKS),
    );
  }

  /** Not the person seen most: neither alike, nor in doubt while the face was followed. */
  #isSomebodyElse(group: Group): boolean {
    const leading = this.#leading;
    if (!leading || group === leading) return false;
    const alike = Math.max(...group.shots.map((shot) => likest(leading.shots, shot)));
    return alike < this.#policy.differentFace || !sharesTrack(group, leading);
  }

  /** The group the face is of, with it counted: those it is like become one; a new one when it is like none. */
  #groupOf(face: LiveFace): Group {
    const alike = this.#groups.filter(({ shots }) => likest(shots, face) >= this.#policy.sameFace);
    const others = this.#groups.filter((it) => !alike.includes(it));
    const group: Group = {
      shots: [],
      looks: alike.reduce((sum, { looks }) => sum + looks, 1),
      tracks: new Set(alike.flatMap(({ tracks }) => [...tracks])),
    };
    if (face.track !== null) group.tracks.add(face.track);
    if (alike.length === 1) group.shots = alike[0]?.shots ?? [];
    else for (const shot of alike.flatMap(({ shots }) => shots)) keep(group, shot);
    this.#groups = [...others, group];
    return group;
  }
}

/** Keeps the face among the shots of the group where it is of use there; whether it is. */
function keep(group: Group, face: LiveFace): boolean {
  if (face.quality.score < GOOD_SHARE * bestQuality(group)) return false;
  const ofTurn = group.shots.filter((shot) => turnOf(shot) === turnOf(face));
  const same = group.shots.filter((shot) => similarity(shot, face) >= NEARLY_THE_SAME);
  const full = ofTurn.length >= SHOTS_A_TURN ? ofTurn : [];
  const rival = worst(same.length > 0 ? same : full);
  if (rival && (same.length > 1 || face.quality.score < rival.quality.score + CLEARLY_BETTER)) return false;
  group.shots = [...group.shots.filter((it) => it !== rival), face];
  const least = GOOD_SHARE * bestQuality(group);
  group.shots = group.shots.filter(({ quality }) => quality.score >= least);
  return true;
}

/** Whereto the head is turned. */
export function turnOf({ turn }: LiveFace): Turn {
  if (Math.abs(turn) < SIDE_TURN) return 'front';
  return turn > 0 ? 'left' : 'right';
}

function sharesTrack(group: Group, other: Group): boolean {
  return [...group.tracks].some((track) => other.tracks.has(track));
}

function bestQuality({ shots }: Group): number {
  return Math.max(0, ...shots.map(({ quality }) => quality.score));
}

function worst(shots: readonly LiveFace[]): LiveFace | undefined {
  return shots.reduce<LiveFace | undefined>(
    (low, it) => (low && low.quality.score <= it.quality.score ? low : it),
    undefined,
  );
}

function likest(shots: readonly LiveFace[], face: LiveFace): number {
  return Math.max(-1, ...shots.map((shot) => similarity(shot, face)));
}

/** By the full-face encoder, which comes first. */
function similarity(first: LiveFace, second: LiveFace): number {
  const [a, b] = [first.embeddings[0]?.embedding, second.embeddings[0]?.embedding];
  return a && b ? cosine(a, b) : -1;
}

/** Of the face that is meant, the largest. */
function hintOfWeakest(faces: readonly LiveFace[]): Hint {
  const [face] = faces.toSorted((a, b) => b.box.height - a.box.height);
  const parts = HINT_OF_PART.map(([part, hint]) => ({ hint, value: face?.quality[part] ?? 1 }));
  return parts.reduce((low, it) => (it.value < low.value ? it : low)).hint;
}
