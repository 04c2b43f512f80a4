import type { Size } from '../../core/geometry.ts';
import { type AlignmentPoints, alignBy } from '../../faces/align.ts';
import { coarsened } from '../data/degrade.ts';
import { cutSmoothly, type FaceAlignments, groupByPerson, marksOf } from '../data/encoder-sampler.ts';
import type { FaceStore } from '../data/face-store.ts';
import { relight } from '../data/relight.ts';
import { type PixelScale, sampleRandom } from '../data/sampler.ts';
import type { RgbImage } from '../data/warp.ts';
import type { Values } from '../engine.ts';
import type { Judgement } from '../run/run-folder.ts';
import type { EmbeddedFaces } from './nearest-examples.ts';
import type { Student } from './student.ts';
import { trueAcceptRates } from './true-accept-rates.ts';
import { type EmbeddingOf, unitEmbeddings } from './unit-embeddings.ts';

/** Faces of people held out, plain and with a mask. */
export interface JudgedCrops {
  /** Numbers of the faces in the store. */
  readonly faces: readonly number[];
  readonly people: readonly number[];
  readonly plain: readonly RgbImage[];
  readonly masked: readonly RgbImage[];
  /** The masked ones in another light each; null where that is not asked for. */
  readonly lit: readonly RgbImage[] | null;
}

/** Faces of people with several pictures first: only they say how well somebody is recognised. */
export function chooseJudged(store: FaceStore, faces: readonly number[], most: number): number[] {
  const groups = [...groupByPerson(store, faces).values()].sort(
    (a, b) => Math.min(b.length, 2) - Math.min(a.length, 2),
  );
  return groups
    .flatMap((group) => group.slice(0, 6))
    .filter((face) => (store.faces[face]?.masks.length ?? 0) > 0)
    .slice(0, most);
}

interface Alignment {
  readonly alignments: FaceAlignments;
  readonly alignedBy: AlignmentPoints;
}

/**
 * Crops of faces as an encoder takes them, by what it is aligned by.
 *
 * @param inOtherLight the masked ones in another light as well
 */
export function judgedCrops(
  store: FaceStore,
  faces: readonly number[],
  size: Size,
  { inOtherLight, ...alignment }: Alignment & { readonly inOtherLight: boolean },
): JudgedCrops {
  const masked = faces.map((face, place) => probeOf(store, face, place, size, alignment));
  return {
    faces,
    people: faces.map((face) => store.faces[face]?.person ?? -1),
    plain: faces.map((face) => plainOf(store, face, size, alignment)),
    masked,
    lit: inOtherLight ? masked.map((crop, place) => relight(crop, sampleRandom(0, -1, place))) : null,
  };
}

/** The face as it is enrolled. */
export function plainOf(store: FaceStore, face: number, size: Size, { alignments, alignedBy }: Alignment): RgbImage {
  return cutSmoothly(store.read(face), alignBy(alignedBy, marksOf(alignments, face, 0)), size);
}

/** The face as it comes: with its first mask on; every other one from farther away. */
export function probeOf(
  store: FaceStore,
  face: number,
  place: number,
  size: Size,
  { alignments, alignedBy }: Alignment,
): RgbImage {
  const image = store.withMask(face, store.read(face), 0);
  const probe = cutSmoothly(image, alignBy(alignedBy, marksOf(alignments, face, 1)), size);
  return place % 2 === 0 ? probe : coarsened(probe, 0.6);
}

/** What of an encoder's answers is an embedding, and how it takes pixels. */
export interface EncoderAsked extends EmbeddingOf {
  readonly pixels: PixelScale;
  /** What is enrolled of the bare faces. */
  templates(own: readonly Float32Array[]): readonly Float32Array[];
}

/** What is enrolled of the bare faces, these, and the masked ones. */
export async function embedCrops(
  student: Student,
  values: Values,
  { plain, masked }: Pick<JudgedCrops, 'plain' | 'masked'>,
  { pixels, templates, ...of }: EncoderAsked,
): Promise<EmbeddedFaces & { readonly bare: readonly Float32Array[] }> {
  const embed = (crops: readonly RgbImage[]) => unitEmbeddings(student, values, { crops, pixels }, of);
  const bare = await embed(plain);
  return { gallery: templates(bare), bare, probes: await embed(masked) };
}

/**
 * True accept rates of masked faces, in the light they are in and where asked for in another, and of bare ones against what is
 * enrolled; and how alike strangers are at most. The score is the mean of the rates.
 */
export async function judgeEncoder(
  student: Student,
  values: Values,
  judged: JudgedCrops,
  of: EncoderAsked,
): Promise<Judgement> {
  const { gallery, bare, probes } = await embedCrops(student, values, judged, of);
  const { people, lit } = judged;
  const litProbes = lit && (await unitEmbeddings(student, values, { crops: lit, pixels: of.pixels }, of));
  const under = trueAcceptRates(gallery, probes, people, [1e-2, 1e-3, 1e-4]);
  const without = trueAcceptRates(gallery, bare, people, [1e-3]);
  const rates = {
    maskedTar2: under.tar[0] ?? 0,
    maskedTar3: under.tar[1] ?? 0,
    maskedTar4: under.tar[2] ?? 0,
    plainTar3: without.tar[0] ?? 0,
    ...(litProbes && { litTar3: trueAcceptRates(gallery, litProbes, people, [1e-3]).tar[0] ?? 0 }),
  };
  const all = Object.values(rates);
  const score = all.reduce((sum, rate) => sum + rate, 0) / all.length;
  return { score, figures: { ...rates, maskedCeiling: under.ceiling } };
}
