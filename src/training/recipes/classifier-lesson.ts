import type { RecipeOf } from '../../config/training-recipe.ts';
import { denseNetwork, LOGITS } from '../classifiers/dense-network.ts';
import type { ClassifiedFace } from '../data/classifier-sampler.ts';
import type { Values } from '../engine.ts';
import { accuracy, crossEntropy } from '../losses/classification.ts';
import type { Judgement } from '../run/run-folder.ts';
import type { Lesson } from './lesson.ts';
import type { Student } from './student.ts';

export interface ClassifierParts {
  /** Rows of features, `columns` numbers each. */
  readonly features: Float32Array;
  readonly columns: number;
  readonly train: readonly ClassifiedFace[];
  readonly validation: readonly ClassifiedFace[];
  readonly classes: number;
  /** Kept beside the model: what it takes to use it. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

/**
 * Tells people of one folder apart by features that were computed before: dense layers and softmax on what a frozen encoder says of
 * faces, plain and with drawn masks. Judged by other pictures of the same people.
 */
export function classifierLesson(recipe: RecipeOf<'classifier'>, parts: ClassifierParts): Lesson {
  const { batch, seed, hidden, masked, smoothing } = recipe;
  const { features, columns, train, validation, classes, files } = parts;
  const judged = validation.slice(0, recipe.validation.faces);
  const judge = (student: Student, values: Values) => judgeClassifier(student, values, features, columns, judged);
  return {
    onnx: denseNetwork({ inputs: columns, hidden, classes, seed }),
    input: [columns],
    cut: null,
    files,
    batch,
    sampleThreads: 1,
    sampling: { kind: 'classifier', options: { features, columns, faces: train, batch, seed, masked } },
    complete: async (given) => given,
    loss(graph, outputs) {
      const logits = outputs[LOGITS] ?? '';
      const labels = graph.input('labels', [batch], 'int64');
      return {
        loss: crossEntropy(graph, { logits, labels, smoothing }),
        metrics: { right: accuracy(graph, { logits, labels }) },
      };
    },
    judge,
    judgeInUse: (student) => judge(student, student.initial),
    close: async () => {},
  };
}

/** Shares of pictures held out that are told rightly, plain (`accuracy`) and each with its first drawn mask (`maskedAccuracy`). */
async function judgeClassifier(
  student: Student,
  values: Values,
  features: Float32Array,
  columns: number,
  faces: readonly ClassifiedFace[],
): Promise<Judgement> {
  const right = async (rows: readonly { readonly row: number; readonly label: number }[]) => {
    const input = new Float32Array(rows.length * columns);
    for (const [at, { row }] of rows.entries()) {
      input.set(features.subarray(row * columns, (row + 1) * columns), at * columns);
    }
    const logits = (await student.run(input, rows.length, values))[LOGITS] ?? new Float32Array();
    const classes = logits.length / rows.length;
    const told = rows.filter(({ label }, at) => {
      const own = logits.subarray(at * classes, (at + 1) * classes);
      return own.indexOf(Math.max(...own)) === label;
    });
    return rows.length === 0 ? 0 : told.length / rows.length;
  };
  const plain = await right(faces);
  const masked = await right(faces.flatMap(({ row, masks, label }) => (masks > 0 ? [{ row: row + 1, label }] : [])));
  return { score: plain + masked, figures: { accuracy: plain, maskedAccuracy: masked } };
}
