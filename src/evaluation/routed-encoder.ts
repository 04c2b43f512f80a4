import type { FacePart } from '../core/person.ts';
import { cosine } from '../faces/embedding.ts';
import { partToEmbed } from '../faces/mask-state.ts';
import { cosinesAmong } from './among-enrolled.ts';
import { enrolBy, type FaceEncoder, type ScoresAmong } from './face-encoder.ts';
import type { FaceToEncode } from './face-source.ts';
import { NOT_COMPARED } from './metrics/comparisons.ts';

/** What two encoders make of a face: enrolled by both, sought by the one for its mask state. */
export interface RoutedCode {
  readonly part: FacePart;
  readonly full: Float32Array | null;
  readonly upper: Float32Array | null;
}

export interface RoutedEncoders {
  readonly full: FaceEncoder<Float32Array>;
  readonly upper: FaceEncoder<Float32Array>;
  /** A score of the upper-part encoder as one that strangers reach as often by the full-face one. */
  readonly onFullScale: (upperScore: number) => number;
  /** Whether scores in a gallery are allowed for how alike a probe is to everybody enrolled. */
  readonly allowForAll: boolean;
}

/**
 * The daemon's choice between two encoders: a face with a mask on is compared with what the upper-part encoder made of the
 * enrolled face, any other with what the full-face one made of it. Scores are on the scale of the full-face one. Both
 * encoders must take crops of one width.
 */
export function routedEncoder(
  id: string,
  { full, upper, onFullScale, allowForAll }: RoutedEncoders,
): FaceEncoder<RoutedCode> {
  if (full.cropPx !== upper.cropPx) throw new RangeError(`crops of ${full.cropPx} and ${upper.cropPx} pixels`);
  const compare = (enrolled: RoutedCode, { part, ...probe }: RoutedCode) => {
    const [a, b] = [enrolled[part], probe[part]];
    if (!a || !b) return NOT_COMPARED;
    return part === 'full' ? cosine(a, b) : onFullScale(cosine(a, b));
  };
  const among = (enrolled: readonly (RoutedCode | null)[], people: readonly number[]): ScoresAmong<RoutedCode> => {
    const by = (part: FacePart) =>
      cosinesAmong(
        enrolled.map((code) => code?.[part] ?? null),
        people,
      );
    const parts = { full: by('full'), upper: by('upper') };
    return {
      of(index, { part, ...probe }) {
        const vector = probe[part];
        if (!vector || !enrolled[index]?.[part]) return NOT_COMPARED;
        const score = parts[part].of(index, vector);
        return part === 'full' ? score : onFullScale(score);
      },
    };
  };
  return {
    id,
    cropPx: full.cropPx,
    alignedBy: [...new Set([...full.alignedBy, ...upper.alignedBy])],
    embed: async (faces) => codesOf(faces, await full.embed(faces), await upper.embed(faces)),
    enrol: async (faces) => codesOf(faces, await full.embed(faces), await enrolBy(upper, faces)),
    compare,
    ...(allowForAll && { among }),
  };
}

function codesOf(
  faces: readonly FaceToEncode[],
  full: readonly (Float32Array | null)[],
  upper: readonly (Float32Array | null)[],
): (RoutedCode | null)[] {
  return faces.map(({ mask }, index) => {
    const code = { part: partToEmbed(mask), full: full[index] ?? null, upper: upper[index] ?? null };
    return code[code.part] ? code : null;
  });
}
