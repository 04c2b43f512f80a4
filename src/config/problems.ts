import type { z } from 'zod';
import { EyelineError } from '../core/errors.ts';
import { configJsonSchema, formsOf, type JsonSchema } from './keys.ts';
import { nearest } from './suggest.ts';

/** One thing that is wrong with one key. */
export interface ConfigProblem {
  readonly path: string;
  readonly message: string;
}

/** Everything that is wrong with a configuration, one line a key below the file's name. */
export class ConfigError extends EyelineError {
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[]) {
    super('CONFIG_INVALID', [`${source}:`, ...problems.map(({ path, message }) => `  ${path}: ${message}`)].join('\n'));
    this.problems = problems;
  }
}

/** `cameras[0].id` of `['cameras', 0, 'id']`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

/** What zod found as lines for people. No value is repeated: it may be a secret. */
export function problemsOf(issues: readonly z.core.$ZodIssue[]): ConfigProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [{ path: pathText(issue.path) || '(root)', message: issue.message }];
    const known = namesAt(issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const gone = GONE[pathText([...issue.path, key])];
      if (gone) return { path: pathText([...issue.path, key]), message: gone };
      const message = `unknown key${near ? ` (did you mean "${near}"?)` : ''}`;
      return { path: pathText([...issue.path, key]), message };
    });
  });
}

/** Keys there were, and what to use now. */
const GONE: Readonly<Record<string, string>> = {
  'recognition.threshold':
    'is gone: say with recognition.falseAcceptRate how many tracks of strangers may be named (1e-4: one in 10,000)',
  'recognition.agreeingFrames': 'is called recognition.minFrames now',
  'tracks.sameFace': 'is gone: say with tracks.sameFaceRate how seldom two people may be that alike (1e-5)',
  'tracks.differentFace': 'is gone: it follows from the calibration of the encoder',
};

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'keys and values',
};

/** Our wording of zod's own messages; those given in the schema stay. Used as the parse's error map. */
export function wording(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') {
    return issue.input === undefined ? 'required' : `must be ${KINDS[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    const small = issue.code === 'too_small';
    const limit = small ? issue.minimum : issue.maximum;
    if (issue.origin === 'string') return small ? 'must not be empty' : `must have at most ${limit} characters`;
    if (issue.origin === 'array') return small ? 'must not be empty' : `must have at most ${limit} items`;
    return `must be at ${small ? 'least' : 'most'} ${limit}`;
  }
  return undefined;
}

function namesAt(path: readonly PropertyKey[]): string[] {
  let schemas: readonly JsonSchema[] = [configJsonSchema()];
  for (const part of path) {
    schemas = schemas.flatMap((it) => {
      const next = typeof part === 'number' ? it.items : it.properties?.[String(part)];
      return next ? formsOf(next) : [];
    });
  }
  return schemas.flatMap((it) => Object.keys(it.properties ?? {}));
}
