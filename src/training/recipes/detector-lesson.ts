import type { RecipeOf } from '../../config/training-recipe.ts';
import { iou } from '../../core/geometry.ts';
import type { ModelEntry } from '../../inference/manifest.ts';
import { type DetectorSampling, detectorSampler, KNOWN_FACES } from '../data/detector-sampler.ts';
import type { Batch, OpenSession, Values } from '../engine.ts';
import { reshape } from '../graph/shorthand.ts';
import { total } from '../losses/building-blocks.ts';
import { BESIDE_IOU, boxAt, foundExamples, judgeDetector } from './judge-detector.ts';
import type { LessonParts } from './landmarks-lesson.ts';
import type { Lesson } from './lesson.ts';
import { openStudent, type Student } from './student.ts';

/** A candidate whose box covers a known face so well shall find it. */
const ON_FACE_IOU = 0.6;
/** Candidates the teacher is less sure of do not say where a face is. */
const SURE = 0.5;
/** Share of the scenes judged in which every face is covered. */
const JUDGED_FACELESS = 0.3;

/**
 * A detector that finds a face with a mask as it finds it without: scores and boxes of the model in use on scenes of plain faces
 * are the target for the same scenes with masks on. Scores by the quality focal loss (Li et al. 2020), which takes soft targets.
 */
export async function detectorLesson(
  recipe: RecipeOf<'detector'>,
  { store, train, validation }: LessonParts,
  { entry, onnx }: { entry: ModelEntry; onnx: Uint8Array },
  { open, block }: { readonly open: OpenSession; readonly block: number | null },
): Promise<Lesson> {
  const { batch, seed, masked, tight, several, empty, faceless, degradation } = recipe;
  const { width, height } = entry.input;
  const input = { width, height };
  const pixels = entry.input;
  const options: DetectorSampling = {
    faces: train,
    batch,
    seed,
    input,
    pixels,
    masked,
    tight,
    several,
    empty,
    faceless,
    degradation,
  };
  const shape = [3, height, width];
  const teacher = await openStudent({ onnx, input: shape, cut: null, batch, open, block });
  const candidates = entry.outputs.find(({ name }) => name === 'scores')?.shape[0] ?? 0;
  const judged = {
    ...options,
    faces: validation,
    seed: seed + 1,
    masked: 1,
    tight: 0.5,
    several: 0.4,
    empty: 0,
    faceless: JUDGED_FACELESS,
  };
  const scenes = { sampler: detectorSampler(store, judged), teacher, batch, input };
  const judge = (student: Student, values: Values) =>
    judgeDetector(student, values, scenes, Math.max(1, Math.floor(recipe.validation.faces / batch)));
  return {
    onnx,
    input: shape,
    cut: recipe.cut,
    batch,
    sampleThreads: 1,
    sampling: { kind: 'detector', options },
    async complete(given) {
      const { plain, known, covered, ...rest } = given;
      if (plain?.type !== 'float32' || known?.type !== 'float32' || covered?.type !== 'float32') {
        throw new RangeError('a batch has no plain scenes');
      }
      const { scores, boxes } = await teacher.run(plain.data, batch, teacher.initial);
      if (!scores || !boxes) throw new RangeError('a detector gives scores and boxes');
      const { target, boxWeight, faces } = targetsOf(scores, boxes, {
        known: known.data,
        covered: covered.data,
        batch,
        knownScore: recipe.knownScore,
      });
      const part = (data: Float32Array, ...last: number[]) =>
        ({ type: 'float32', data, shape: [batch, candidates, ...last] }) as const;
      return {
        ...rest,
        target: part(target),
        boxes: part(boxes, 4),
        boxWeight: part(boxWeight),
        faces: { type: 'float32', data: Float32Array.of(faces), shape: [1] },
      } satisfies Batch;
    },
    loss(graph, outputs) {
      const target = graph.input('target', [batch, candidates]);
      const boxes = graph.input('boxes', [batch, candidates, 4]);
      const boxWeight = graph.input('boxWeight', [batch, candidates]);
      const faces = graph.input('faces', [1]);
      const one = graph.floats([1], []);
      const face = graph.op('Slice', [outputs.scores ?? '', ...[1, 2, 2].map((value) => graph.int64s([value]))]);
      const score = graph.op('Clip', [
        graph.op('Reshape', [face, graph.int64s([batch, candidates])]),
        graph.floats([1e-6], []),
        graph.floats([1 - 1e-6], []),
      ]);
      const yes = graph.op('Mul', [target, graph.op('Log', [score])]);
      const no = graph.op('Mul', [graph.op('Sub', [one, target]), graph.op('Log', [graph.op('Sub', [one, score])])]);
      const gap = graph.op('Sub', [target, score]);
      const focus = graph.op('Mul', [gap, gap]);
      const aFace = (tensor: string) => graph.op('Div', [reshape(graph, total(graph, tensor), [1]), faces]);
      const scoring = graph.op('Neg', [aFace(graph.op('Mul', [focus, graph.op('Add', [yes, no])]))]);
      const off = graph.op('Abs', [graph.op('Sub', [outputs.boxes ?? '', boxes])]);
      const offTogether = graph.op('ReduceSum', [off, graph.int64s([2])], { keepdims: 0 });
      const placing = aFace(graph.op('Mul', [offTogether, boxWeight]));
      const loss = graph.op('Add', [scoring, graph.op('Mul', [placing, graph.floats([recipe.boxWeight], [1])])]);
      return { loss, metrics: { scoring, placing } };
    },
    judge,
    examples: (student, before, after) => foundExamples(student, { before, after }, scenes, pixels),
    judgeInUse: (student) => judge(student, student.initial),
    close: () => teacher.close(),
  };
}

/** What the student shall say of each candidate, and how much its box counts. `faces` is how many candidates are on faces. */
function targetsOf(
  scores: Float32Array,
  boxes: Float32Array,
  {
    known,
    covered,
    batch,
    knownScore,
  }: {
    readonly known: Float32Array;
    readonly covered: Float32Array;
    readonly batch: number;
    readonly knownScore: number;
  },
): { target: Float32Array; boxWeight: Float32Array; faces: number } {
  const candidates = boxes.length / 4 / batch;
  const target = new Float32Array(batch * candidates);
  const boxWeight = new Float32Array(batch * candidates);
  let faces = 1;
  for (let at = 0; at < target.length; at++) {
    const box = boxAt(boxes, at);
    let wanted = scores[2 * at + 1] ?? 0;
    const row = Math.floor(at / candidates);
    for (let place = row * KNOWN_FACES; place < (row + 1) * KNOWN_FACES; place++) {
      const face = boxAt(known, place);
      if (face.width > 0 && wanted < knownScore && iou(box, face) > ON_FACE_IOU) wanted = knownScore;
      // Whatever the teacher takes a covered head for.
      const head = boxAt(covered, place);
      if (head.width > 0 && iou(box, head) > BESIDE_IOU) wanted = 0;
    }
    target[at] = wanted;
    faces += wanted;
    if (wanted > SURE) boxWeight[at] = wanted / Math.max(0.02, box.width + box.height);
  }
  return { target, boxWeight, faces };
}
