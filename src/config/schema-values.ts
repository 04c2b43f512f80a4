import { z } from 'zod';

export interface Problem {
  path: (string | number)[];
  message: string;
}

/** A check across keys that runs though single keys are wrong, so that all errors are told at once. */
export function evenIfInvalid(problems: (value: unknown) => Problem[]) {
  return z.superRefine<unknown>(
    (value, context) => {
      for (const problem of problems(value)) context.addIssue({ code: 'custom', ...problem });
    },
    { when: () => true },
  );
}

export function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

export const slug = z
  .string()
  .regex(/^[a-z0-9]+(?:[-_][a-z0-9]+)*$/, 'must be lower-case letters and digits with single "-" or "_" between them')
  .max(64);

export const text = z.string().min(1);

export const file = z.string().min(1).nullable().default(null);

/** A day: timers of Node overflow above 24.8 days. */
export const LONGEST_MS = 86_400_000;

export const positiveMs = z.int().min(1).max(LONGEST_MS);

export const share = z.number().min(0).max(1);

export const rate = z.number().gt(0).max(0.5);

/** A secret in the clear, or where it is kept; platform/credentials.ts `readSecret` fetches it. */
export const secret = z
  .union(
    [
      z.string().min(1),
      z.strictObject({ file: text.describe('File that holds the secret.') }),
      z.strictObject({
        credential: z
          .string()
          .regex(/^(?!\.\.?$)[^/]+$/)
          .describe('Name of a systemd credential (LoadCredential=).'),
      }),
      z.strictObject({ env: text.describe('Environment variable that holds the secret.') }),
    ],
    'must be {file: path}, {credential: name}, {env: NAME} or text',
  )
  .meta({ writeOnly: true });

export const retry = z
  .strictObject({
    firstDelayMs: positiveMs.default(1000).describe('Delay before the first retry.'),
    maxDelayMs: positiveMs.default(30_000).describe('Longest delay between two tries.'),
    factor: z.number().min(1).max(10).default(2).describe('How much longer each delay is than the one before.'),
    jitter: share
      .default(0.3)
      .describe('Random share taken off a delay, so that many devices do not come back at once.'),
  })
  .check(
    evenIfInvalid((value) => {
      const { firstDelayMs, maxDelayMs } = record(value);
      if (typeof firstDelayMs !== 'number' || typeof maxDelayMs !== 'number' || maxDelayMs >= firstDelayMs) return [];
      return [{ path: ['maxDelayMs'], message: 'must not be less than firstDelayMs' }];
    }),
  )
  .prefault({});

/** Refuses an id that comes twice in a list; `entry` names the one that has it already. */
export function distinctIds(entry: (index: number) => string): (value: unknown) => Problem[] {
  return (value) => {
    const ids = Array.isArray(value) ? value.map((it) => record(it).id) : [];
    return ids.flatMap((id, index) => {
      const first = ids.indexOf(id);
      if (typeof id !== 'string' || first === index) return [];
      return [{ path: [index, 'id'], message: `"${id}" is the id of ${entry(first)} already` }];
    });
  };
}
