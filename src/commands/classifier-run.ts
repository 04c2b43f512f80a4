import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EyelineError, messageOf } from '../core/errors.ts';

/** Files of the folder of a run of kind `classifier`, beside its model. */
export const CLASSES_FILE = 'classes.json';
export const BAG_FILE = 'words.safetensors';
export const MODEL_FILE = 'model.onnx';

/** What it takes to use a trained classifier. */
export interface ClassifierRun {
  readonly features: 'embedding' | 'words';
  /** Id as `eval --encoder` has it, and what its model was. */
  readonly encoder: { readonly id: string; readonly fingerprint: string };
  /** Names of the people, in the order of the classes. */
  readonly people: readonly string[];
  /** Pictures it was trained on, from the person's folder on. */
  readonly learned: readonly string[];
}

/** Throws USAGE when the folder is none of a classifier's run. */
export async function readClassifierRun(
  folder: string,
): Promise<{ readonly run: ClassifierRun; readonly onnx: Uint8Array; readonly bag: Uint8Array | null }> {
  try {
    const run = JSON.parse(await readFile(join(folder, CLASSES_FILE), 'utf8')) as ClassifierRun;
    const onnx = new Uint8Array(await readFile(join(folder, MODEL_FILE)));
    const bag = run.features === 'words' ? new Uint8Array(await readFile(join(folder, BAG_FILE))) : null;
    return { run, onnx, bag };
  } catch (error) {
    throw new EyelineError(
      'USAGE',
      `"${folder}" is no classifier: nearest, softmax, svm, hariri, or the folder of a run of classifier-head or hariri-bof; ${messageOf(error)}`,
      { cause: error },
    );
  }
}
