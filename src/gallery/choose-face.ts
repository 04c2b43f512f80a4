import type { Box } from '../core/geometry.ts';
import type { FacePart, MaskState } from '../core/person.ts';
import type { RefusalCode } from './refusal.ts';
import type { FaceCrop } from './template.ts';

/** What enrolment needs to know of a face; the parts of quality say why the score is low. */
export interface ReadFace {
  /** Pixels of the picture. */
  readonly box: Box;
  /** Of the detector, 0..1. */
  readonly score: number;
  readonly quality: FaceScores;
  /** By every encoder in use, the full-face one first. */
  readonly embeddings: readonly ReadEmbedding[];
  /** Null when it is not assessed. */
  readonly mask: { readonly state: MaskState } | null;
  /** The face as the encoders see it, where crops are kept. */
  readonly crop?: FaceCrop | undefined;
}

export interface ReadEmbedding {
  /** Fingerprint of the encoder. */
  readonly encoder: string;
  readonly part: FacePart;
  /** Unit norm. */
  readonly embedding: Float32Array;
}

/** Each 0 (useless) to 1 (as good as it needs to be). */
export interface FaceScores {
  readonly score: number;
  readonly size?: number;
  readonly sharpness?: number;
  readonly exposure?: number;
  readonly pose?: number;
  readonly completeness?: number;
}

export interface EnrolmentLimits {
  /** Least shorter side of the face box. */
  readonly minFacePx: number;
  /** Least quality score, 0..1. */
  readonly minQuality: number;
}

export type Choice<F extends ReadFace = ReadFace> =
  | { readonly face: F }
  | { readonly face: null; readonly code: RefusalCode; readonly reason: string };

/**
 * A face lower than this share of the main one is somebody in the background, far behind: nobody could take it for the
 * person meant. Anything larger makes the picture ambiguous, and a wrong template names strangers for years.
 */
const BACKGROUND_SHARE = 0.25;

/** Parts of quality below this are named as the reason. */
const LOW_PART = 0.5;

const PROBLEMS = [
  ['size', 'the eyes are too close together'],
  ['sharpness', 'it is blurred'],
  ['exposure', 'it is too dark, too bright or without contrast'],
  ['pose', 'the face is turned away'],
  ['completeness', 'the face is cut off'],
] as const;

/** The one face of a picture that may be enrolled, or why there is none. Pure. */
export function chooseFace<F extends ReadFace>(faces: readonly F[], limits: EnrolmentLimits): Choice<F> {
  const [main, ...others] = [...faces].sort((a, b) => b.box.height - a.box.height);
  if (!main) return refuse('NO_FACE', 'no face was found');
  const rivals = others.filter(({ box }) => box.height >= main.box.height * BACKGROUND_SHARE);
  if (rivals.length > 0) {
    return refuse('SEVERAL_FACES', `${rivals.length + 1} faces were found: cut out the one that is meant`);
  }
  const sidePx = Math.floor(Math.min(main.box.width, main.box.height));
  if (sidePx < limits.minFacePx) {
    return refuse('FACE_TOO_SMALL', `the face is ${sidePx} pixels wide, at least ${limits.minFacePx} are needed`);
  }
  if (!(main.quality.score >= limits.minQuality)) {
    const problems = PROBLEMS.filter(([part]) => (main.quality[part] ?? 1) < LOW_PART).map(([, text]) => text);
    const why = problems.length > 0 ? ` (${problems.join(', ')})` : '';
    // Rounded down, so that a score just under the limit is not shown as the limit.
    const shown = (Math.floor(main.quality.score * 100) / 100).toFixed(2);
    return refuse('QUALITY_TOO_LOW', `the quality is ${shown}, at least ${limits.minQuality} is needed${why}`);
  }
  return { face: main };
}

function refuse(code: RefusalCode, reason: string): Choice & { readonly face: null } {
  return { face: null, code, reason };
}
