import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { EyelineError, messageOf } from '../core/errors.ts';
import { ConfigError, pathText } from './problems.ts';

/** The suite that comes with the product; the same way from src/ and from dist/. */
export const SHIPPED_SUITE = fileURLToPath(new URL('../../config/evaluation-suite.yaml', import.meta.url));

const text = z.string().min(1);
const mask = z.enum(['none', 'probe', 'both']);
const pad = z.number().min(0).max(2);

const pairsSet = z.strictObject({
  name: text,
  images: text,
  pairs: text,
  mask: z.array(mask).min(1).default(['none']),
  pad: pad.default(0),
});

const peopleSet = z.strictObject({
  name: text,
  dir: text,
  probe: z.array(z.enum(['masked', 'plain'])).min(1),
  gallery: z.enum(['plain', 'mixed']).default('plain'),
  pad: pad.optional(),
});

const method = z.strictObject({
  name: text,
  encoder: text,
  /** What `auto` takes for faces with a mask, instead of models.upperEncoder; null for none. */
  upperEncoder: text.nullable().optional(),
  /** Left out where its models are not on this machine. */
  optional: z.boolean().default(false),
  classifier: z.enum(['nearest', 'softmax', 'svm', 'hariri']).default('nearest'),
});

const suiteSchema = z.strictObject({
  pairs: z.array(pairsSet).default([]),
  people: z.array(peopleSet).default([]),
  methods: z.array(method).min(1),
  maskSeed: z.int().min(0).default(1),
  splitSeed: z.int().min(0).default(1),
});

/** What `eyeline eval all` measures: every method on every data set. Paths are relative to the folder of data. */
export type EvaluationSuite = z.output<typeof suiteSchema>;

/** Reads a suite. Throws CONFIG_UNREADABLE (missing, no YAML) and CONFIG_INVALID, which names every wrong key. */
export async function loadSuite(file: string): Promise<EvaluationSuite> {
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new EyelineError('CONFIG_UNREADABLE', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const document = parseDocument(content, { prettyErrors: true });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault) throw new EyelineError('CONFIG_UNREADABLE', `${file}: ${fault.message.split('\n')[0]}`);
  const parsed = suiteSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => ({
    path: pathText(issue.path) || '(root)',
    message: issue.message,
  }));
  throw new ConfigError(file, problems);
}
