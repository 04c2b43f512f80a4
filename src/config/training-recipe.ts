import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { EyelineError, messageOf } from '../core/errors.ts';
import { ALIGNMENT_POINTS } from '../faces/align.ts';
import { ConfigError, pathText } from './problems.ts';

/** The recipes that come with the product; the same way from src/ and from dist/. */
const SHIPPED_RECIPES = fileURLToPath(new URL('../../config/training/', import.meta.url));

/**
 * What `train all` runs, in this order: the encoder is aligned by the landmarks before it; with `--install` each is prepared with
 * what was installed before it.
 */
export const ALL_RECIPES = ['masked-detector', 'masked-landmarks', 'masked-encoder'] as const;

const share = z.number().min(0).max(1);
const count = z.int().min(1);
const amount = z.number().min(0);

const optimiser = z.strictObject({
  kind: z.enum(['adamw', 'sgd']).default('adamw'),
  /** Highest learning rate; it rises to it over the first steps and falls along a cosine. */
  peak: z.number().gt(0),
  final: amount.default(0),
  warmUpSteps: z.int().min(0).default(50),
  weightDecay: amount.default(0.0001),
  momentum: share.default(0.9),
  clipNorm: z.number().gt(0).nullable().default(5),
});

const degradation = z.strictObject({
  lightShare: share.default(0),
  brightness: share.default(0.15),
  contrast: share.default(0.25),
  saturation: share.default(0.4),
  tint: share.default(0.08),
  blurShare: share.default(0.3),
  blurPx: amount.default(1.2),
  shrinkShare: share.default(0.35),
  shrinkTo: z.number().min(0.1).max(1).default(0.35),
  jpegShare: share.default(0.3),
  jpegQuality: z.number().min(5).max(95).default(35),
  noise: amount.default(8),
});

const common = {
  description: z.string().default(''),
  seed: z.int().min(0).default(1),
  batch: count,
  steps: count,
  optimiser,
  degradation: degradation.prefault({}),
  /** Weights are averaged over steps with this decay, and the average is what is judged and kept; 0 for none. */
  averageDecay: share.default(0.995),
  /** Masks drawn on each picture when it is prepared. */
  masks: z.int().min(1).max(8).default(1),
  /** Share of the samples that wear one. */
  masked: share.default(0.8),
  validation: z
    .strictObject({
      /** Share of the people who are held out. */
      share: z.number().gt(0).max(0.5).default(0.1),
      everySteps: count.default(250),
      /** Ends when so many validations in a row were no better. */
      patience: count.default(8),
      /** At most so many faces are judged by. */
      faces: z.int().min(10).default(800),
      fold: z.int().min(0).default(0),
    })
    .prefault({}),
} as const;

/** Where training begins: everything trains where null; else the last so many layers, or what follows a tensor or node. */
const cut = z
  .union([z.string().min(1), z.strictObject({ layers: count })])
  .nullable()
  .default(null);

const landmarks = z.strictObject({
  kind: z.literal('landmarks'),
  ...common,
  cut,
  shift: share.default(0.06),
  stretch: share.default(0.07),
  turn: share.default(0.15),
  /** Weight of eyes, and of nose tip and mouth corners, against all other points. */
  eyes: z.number().gt(0).default(3),
  anchors: z.number().gt(0).default(2),
});

const encoder = z.strictObject({
  kind: z.literal('encoder'),
  ...common,
  cut,
  /** What it begins with: an upper-part encoder of the product, where there is one of the same kind and teacher, or the teacher's upper rows. */
  beginsWith: z.enum(['shipped', 'teacher']).default('shipped'),
  /** Share of the weights it began with in the result, where that is such an encoder: it keeps what that one knew. */
  keptShare: share.default(0),
  /** Rows of the aligned crop that are seen: fewer leave out what a mask covers. */
  rows: z.int().min(16).max(112).default(64),
  /** Rows from here on are blanked in training, chosen between both for each sample; null for none. */
  blankFrom: z
    .tuple([z.int().min(0), z.int().min(0)])
    .nullable()
    .default([58, 64]),
  /** What its faces are aligned by: points a mask leaves free look the same with and without one. */
  alignedBy: z.enum(ALIGNMENT_POINTS).default('five'),
  /** Its embedding is the mean of a crop's and of the mirrored crop's: for twice the work. */
  mirrored: z.boolean().default(false),
  /** Of the whole face's embedding, by the teacher, in a template of a bare face, 0..1: a probe alone shows half of one. */
  jointShare: share.default(0),
  jitterPx: amount.default(1.5),
  /** Weight of the frozen encoder's word on the plain picture, against that of telling people apart. */
  distillation: amount.default(1),
  /** Share of the person's mean in that word, against the picture's own: what stays the same from picture to picture. */
  personMean: share.default(0),
  contrast: amount.default(1),
  /** Weight of telling each face from `others` by what the frozen encoder says of them. */
  telling: amount.default(0.5),
  others: count.default(1024),
  temperature: z.number().gt(0).default(0.06),
});

const detector = z.strictObject({
  kind: z.literal('detector'),
  ...common,
  cut,
  tight: share.default(0.45),
  several: share.default(0.3),
  empty: share.default(0.1),
  /** Share of the scenes whose faces are all covered, mostly by hair: heads seen from behind are no faces. */
  faceless: share.default(0.12),
  /** Score that candidates on a face laid into the scene shall have at least. */
  knownScore: share.default(0.9),
  boxWeight: amount.default(1),
});

const { batch: _, ...withoutBatch } = common;

const siamese = z.strictObject({
  kind: z.literal('siamese'),
  ...withoutBatch,
  /** People a batch, and pictures of each. */
  people: z.int().min(2),
  pictures: z.int().min(2),
  /** An ONNX classifier whose body it begins with, ImageNet's as a rule; null: a ResNet that has learned nothing. */
  model: z.string().min(1).nullable().default(null),
  /** Of that ResNet: blocks of each stage, channels of the first; ResNet50 unless told. */
  stages: z.array(count).min(1).max(5).default([3, 4, 6, 3]),
  width: count.default(64),
  /** Rows and columns of the aligned crop. */
  side: z.int().min(32).max(320).default(160),
  embedding: count.default(128),
  train: z.enum(['last-stage', 'all']).default('all'),
  /** How triplets are chosen; `random`: anchor, shuffled positive, shuffled negative. */
  mining: z.enum(['random', 'semi-hard', 'batch-hard']).default('random'),
  margin: z.number().gt(0).default(0.2),
  jitterPx: amount.default(1.5),
});

const { masked: __, ...withoutMasked } = common;

const maskState = z.strictObject({
  kind: z.literal('mask-state'),
  ...withoutMasked,
  /** Channels after each convolution, and neurons of the hidden layer. */
  channels: z.array(count).min(1).max(6).default([16, 32, 48, 64]),
  hidden: count.default(64),
  /** Share of the samples without a mask; of the others the share with the nose free. */
  bare: share.default(0.5),
  incorrect: share.default(1 / 3),
  /** Share of the worn masks that are photographs of real ones, where there are any. */
  real: share.default(0.3),
  shift: share.default(0.06),
  stretch: share.default(0.08),
  /** Largest turn in the plane of the picture, and of the head out of it, radians. */
  turn: amount.default(0.5),
  pose: amount.default(0.6),
  /** Share of the samples cut from a picture that ends near the face: black beyond. */
  tight: share.default(0.3),
  /** Share of the bare samples with a hand, a microphone or something else before the face; of the others half as many. */
  covered: share.default(0.4),
  /** Share of the target given to other states: a few pictures are not what they are said to be. */
  smoothing: share.default(0.05),
});

const { degradation: ___, ...withoutDegradation } = common;

const classifier = z.strictObject({
  kind: z.literal('classifier'),
  ...withoutDegradation,
  /** What of a face is classified: its embedding, or the histogram of its feature map over `words`. */
  features: z.enum(['embedding', 'words']),
  /** As `eval --encoder` has it: full, upper, block50 or an encoder of the manifest. */
  encoder: z.string().min(1).default('block50'),
  words: z.int().min(2).default(70),
  softness: z.number().gt(0).default(0.25),
  /** Neurons of the hidden layer; null for none. */
  hidden: count.nullable().default(null),
  smoothing: share.default(0),
});

const recipeSchema = z.discriminatedUnion('kind', [landmarks, encoder, detector, siamese, maskState, classifier], {
  error: 'must be landmarks, encoder, detector, siamese, mask-state or classifier',
});

/** How a model is trained: config/training/ has those that come with the product. */
export type TrainingRecipe = z.output<typeof recipeSchema>;
export type RecipeOf<Kind extends TrainingRecipe['kind']> = Extract<TrainingRecipe, { kind: Kind }>;

export interface LoadedRecipe {
  readonly name: string;
  readonly recipe: TrainingRecipe;
}

/**
 * Reads a recipe: one that comes with the product by its name, or a YAML file. Throws USAGE for a name there is none of,
 * CONFIG_UNREADABLE (no YAML) and CONFIG_INVALID, which names every wrong key.
 */
export async function loadRecipe(nameOrFile: string): Promise<LoadedRecipe> {
  const isFile = /\.ya?ml$/.test(nameOrFile);
  const file = isFile ? nameOrFile : `${SHIPPED_RECIPES}${nameOrFile}.yaml`;
  if (!isFile && !/^[a-z0-9-]+$/.test(nameOrFile)) {
    throw new EyelineError('USAGE', `"${nameOrFile}" is neither the name of a recipe nor a .yaml file`);
  }
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    if (!isFile)
      throw new EyelineError('USAGE', `there is no recipe "${nameOrFile}"; a file of your own ends in .yaml`);
    throw new EyelineError('CONFIG_UNREADABLE', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  });
  return { name: isFile ? baseName(file) : nameOrFile, recipe: parseRecipe(content, file) };
}

/** What `loadRecipe` does with the text of a file. */
export function parseRecipe(content: string, file: string): TrainingRecipe {
  const document = parseDocument(content, { prettyErrors: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw new EyelineError('CONFIG_UNREADABLE', `${file}: ${fault.message.split('\n')[0]}`);
  const parsed = recipeSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    path: pathText(issue.path) || '(root)',
    message: issue.message,
  }));
  throw new ConfigError(file, problems);
}

function baseName(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(/\.ya?ml$/, '');
}
