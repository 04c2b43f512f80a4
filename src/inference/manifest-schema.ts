import { z } from 'zod';
import { messageOf } from '../core/errors.ts';
import { ALIGNMENT_POINTS } from '../faces/align.ts';
import { parseSource } from './source.ts';

export const MODEL_ROLES = ['detector', 'refiner', 'landmarks', 'encoder', 'liveness', 'mask-state'] as const;
/** How what a model gives is read, by its role; the first is meant where none is named. */
const FAMILIES_OF_ROLE = {
  detector: ['ultraface', 'blazeface', 'mtcnn'],
  landmarks: ['ibug', 'facemesh', 'mtcnn-onet'],
  liveness: ['minifasnet', 'human-antispoof'],
} as const;
const MODEL_FAMILIES = [
  ...FAMILIES_OF_ROLE.detector,
  ...FAMILIES_OF_ROLE.landmarks,
  ...FAMILIES_OF_ROLE.liveness,
] as const;

const id = z
  .string()
  .regex(/^[a-z0-9]+(?:[._-][a-z0-9]+)*$/, 'must be lower-case letters and digits with single ".", "-" or "_" between');
const text = z.string().min(1);
const perChannel = z.union([z.number(), z.array(z.number())], 'must be a number or one number a channel');
const share = z.number().min(0).max(1);
const extent = z.int().min(8).max(4096);

const source = text.check((context) => {
  try {
    parseSource(context.value, '/');
  } catch (error) {
    context.issues.push({ code: 'custom', input: context.value, message: messageOf(error) });
  }
});

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lower-case hex digits, as sha256sum prints them');

const assetKeys = {
  id,
  source,
  integrity: z
    .string()
    .regex(/^sha512-[A-Za-z0-9+/]{86}==$/, 'must be sha512-<base64>, as `npm view <package>@<version> dist` shows it')
    .optional(),
  sha256,
  licence: text,
  description: z.string().default(''),
};

const input = z
  .strictObject({
    width: extent,
    height: extent,
    channels: z.union([z.literal(1), z.literal(3)], 'must be 1 or 3'),
    colour: z.enum(['rgb', 'bgr', 'grey']),
    mean: perChannel,
    scale: perChannel,
  })
  .check(
    acrossKeys(({ channels, colour, mean, scale }) => {
      const problems: Problem[] = [];
      if (channels !== 1 && channels !== 3) return problems;
      if (typeof colour === 'string' && (channels === 1) !== (colour === 'grey')) {
        problems.push(['colour', 'must be grey for 1 channel, rgb or bgr for 3']);
      }
      for (const [key, value] of Object.entries({ mean, scale })) {
        if (Array.isArray(value) && value.length !== channels) {
          problems.push([key, `must be one number, or ${channels}: one a channel`]);
        }
      }
      if ([scale].flat().includes(0)) problems.push(['scale', 'must not be 0']);
      return problems;
    }),
  )
  .transform(({ mean, scale, ...rest }) => ({
    ...rest,
    mean: Array.isArray(mean) ? mean : Array<number>(rest.channels).fill(mean),
    scale: Array.isArray(scale) ? scale : Array<number>(rest.channels).fill(scale),
  }));

const output = z.strictObject({ name: text, shape: z.array(z.int().min(1)).min(1) });

/** Share of comparisons of different people that score at least the threshold, measured. */
const operatingPoint = z.strictObject({ threshold: z.number().min(-1).max(1), far: z.number().gt(0).max(1) });

/** What scores of one kind of face mean; `eyeline calibrate` writes it. Points: similarity, false accept rate, log-likelihood ratio. */
const scoreCurve = z
  .strictObject({
    impostors: z.int().min(1),
    genuine: z.int().min(0),
    correlation: share,
    reference: z.strictObject({ mean: z.number().min(-1).max(1), deviation: z.number().gt(0).max(1) }).optional(),
    points: z.array(z.tuple([z.number().min(-1).max(1), z.number().gt(0).max(1), z.number()])).min(2),
  })
  .check(
    acrossKeys(({ points }) => {
      const rows = z.array(z.tuple([z.number(), z.number(), z.number()])).safeParse(points).data ?? [];
      return rows.flatMap(([score, far, llr], index): Problem[] => {
        const before = rows[index - 1];
        if (!before || (score > before[0] && far < before[1] && llr >= before[2])) return [];
        return [[['points', index], 'must have a higher score, a lower rate and no lower ratio than the one before']];
      });
    }),
  )
  .transform(({ points, ...rest }) => ({
    ...rest,
    points: points.map(([score, far, llr]) => ({ score, far, llr })),
  }));

/** The curves of one encoder, by what is worn. */
export const scoreCurves = z.strictObject({ none: scoreCurve.optional(), worn: scoreCurve.optional() });

const model = z
  .strictObject({
    ...assetKeys,
    role: z.enum(MODEL_ROLES),
    family: z.enum(MODEL_FAMILIES).optional(),
    stages: z.array(id).length(2).optional(),
    format: z.enum(['onnx', 'tfjs', 'tflite']).optional(),
    weights: z.strictObject({ source, sha256 }).optional(),
    columnsFirst: z.boolean().optional(),
    input,
    outputs: z.array(output).min(1),
    embedding: z.int().min(1).optional(),
    part: z.enum(['full', 'upper']).optional(),
    alignedBy: z.enum(ALIGNMENT_POINTS).optional(),
    mirrored: z.boolean().optional(),
    jointWith: z.strictObject({ encoder: sha256, share }).optional(),
    calibration: z.array(operatingPoint).optional(),
    curves: scoreCurves.optional(),
    minNorm: z.number().min(0).optional(),
    minScore: share.optional(),
  })
  .check(
    acrossKeys((entry) => [
      ...integrityOfNpm(entry),
      ...embeddingOfEncoder(entry),
      ...partsOfFormat(entry),
      ...familyOfRole(entry),
      ...scoreOfDetector(entry),
    ]),
  );

const picture = z.strictObject(assetKeys).check(acrossKeys(integrityOfNpm));

/** A manifest file, before its sources are located. */
export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  models: z.array(model).check(uniqueIds()).prefault([]),
  pictures: z.array(picture).check(uniqueIds()).prefault([]),
});

type Problem = readonly [path: PropertyKey | readonly PropertyKey[], message: string];

/** A check over several keys that runs though single keys are wrong, so that all errors are told at once. */
function acrossKeys(problems: (value: Record<string, unknown>) => readonly Problem[]) {
  return z.superRefine<unknown>(
    (value, context) => {
      if (typeof value !== 'object' || value === null) return;
      for (const [path, message] of problems({ ...value })) {
        context.addIssue({ code: 'custom', path: [path].flat() as PropertyKey[], message });
      }
    },
    { when: () => true },
  );
}

function uniqueIds() {
  return acrossKeys((list) => {
    const ids = Object.values(list).map((entry) => (entry as { id?: unknown } | null)?.id);
    return ids.flatMap((it, index): Problem[] =>
      it === undefined || ids.indexOf(it) === index ? [] : [[[index, 'id'], `"${it}" is used twice`]],
    );
  });
}

function integrityOfNpm({ source: it, integrity }: Record<string, unknown>): Problem[] {
  if (typeof it !== 'string' || !it.startsWith('npm:') || integrity !== undefined) return [];
  return [['integrity', 'is required for an npm: source']];
}

function partsOfFormat({ format, weights, columnsFirst, integrity }: Record<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  if (format === 'tfjs' && weights === undefined) problems.push(['weights', 'is required for tfjs']);
  if (format !== 'tfjs' && weights !== undefined) problems.push(['weights', 'belongs to tfjs only']);
  if (format !== 'tflite' && columnsFirst !== undefined) problems.push(['columnsFirst', 'belongs to tflite only']);
  const from = typeof weights === 'object' && weights !== null && 'source' in weights ? weights.source : null;
  if (typeof from === 'string' && from.startsWith('npm:') && integrity === undefined) {
    problems.push(['integrity', 'is required for an npm: source']);
  }
  return problems;
}

function familyOfRole({ role, family, stages }: Record<string, unknown>): Problem[] {
  const problems: Problem[] = [];
  const fitting: readonly unknown[] =
    role === 'detector' || role === 'landmarks' || role === 'liveness' ? FAMILIES_OF_ROLE[role] : ([] as const);
  if (family !== undefined && !fitting.includes(family)) {
    const choice =
      fitting.length > 0
        ? `must be one of ${fitting.join(', ')}`
        : 'belongs to detectors, landmark and liveness models';
    problems.push(['family', choice]);
  }
  if (family === 'mtcnn' && stages === undefined) problems.push(['stages', 'is required for mtcnn']);
  if (family !== 'mtcnn' && stages !== undefined) problems.push(['stages', 'belongs to mtcnn only']);
  return problems;
}

function scoreOfDetector({ role, minScore }: Record<string, unknown>): Problem[] {
  return role !== 'detector' && minScore !== undefined ? [['minScore', 'belongs to detectors only']] : [];
}

function embeddingOfEncoder({
  role,
  outputs,
  embedding,
  part,
  alignedBy,
  mirrored,
  jointWith,
  calibration,
  curves,
  minNorm,
}: Record<string, unknown>): Problem[] {
  if (role !== 'encoder') {
    const misplaced: Problem[] = [];
    if (embedding !== undefined) misplaced.push(['embedding', 'belongs to encoders only']);
    if (part !== undefined) misplaced.push(['part', 'belongs to encoders only']);
    if (alignedBy !== undefined) misplaced.push(['alignedBy', 'belongs to encoders only']);
    if (mirrored !== undefined) misplaced.push(['mirrored', 'belongs to encoders only']);
    if (jointWith !== undefined) misplaced.push(['jointWith', 'belongs to encoders only']);
    if (calibration !== undefined) misplaced.push(['calibration', 'belongs to encoders only']);
    if (curves !== undefined) misplaced.push(['curves', 'belongs to encoders only']);
    if (minNorm !== undefined) misplaced.push(['minNorm', 'belongs to encoders only']);
    return misplaced;
  }
  if (jointWith !== undefined && part !== 'upper') {
    return [['jointWith', 'belongs to encoders for the upper part only (part: upper)']];
  }
  if (embedding === undefined) return [['embedding', 'is required for an encoder']];
  const first = z.array(output).safeParse(outputs).data?.[0];
  const size = first?.shape.reduce((product, extent) => product * extent, 1);
  if (size === undefined || size === embedding) return [];
  return [['embedding', `must be the size of the first output: ${size}`]];
}
