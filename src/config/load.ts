import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
import { EyelineError } from '../core/errors.ts';
import { redact } from '../core/redact.ts';
import { CONFIG_VARIABLE, type Override, readOverrides } from './environment.ts';
import { configKeys } from './keys.ts';
import { ConfigError, type ConfigProblem, problemsOf, wording } from './problems.ts';
import { type Config, configSchema } from './schema.ts';
import { warningsOf } from './warnings.ts';

/** Read when no other file is named, if it is there. */
export const DEFAULT_CONFIG_FILE = 'config/eyeline.yaml';

export interface LoadedConfig {
  readonly config: Config;
  /** The file it came from, or `built-in defaults`. */
  readonly source: string;
  readonly warnings: string[];
}

/**
 * Reads the file, lets environment variables override its keys, checks everything and fills in the defaults. Without
 * `file` it takes the one `EYELINE_CONFIG` names, else config/eyeline.yaml if that is there, else defaults alone.
 * Throws CONFIG_UNREADABLE (missing, no YAML) or a `ConfigError` that names every wrong key. Secrets are not resolved.
 */
export async function loadConfig({ file, env }: { file?: string; env: NodeJS.ProcessEnv }): Promise<LoadedConfig> {
  const named = file ?? (env[CONFIG_VARIABLE] || undefined);
  const text = await readConfigFile(named ?? DEFAULT_CONFIG_FILE, named !== undefined);
  const source = text === null ? 'built-in defaults' : (named ?? DEFAULT_CONFIG_FILE);
  return parseConfig(text ?? '', { source, env });
}

/** What `loadConfig` does with the text of a file. */
export function parseConfig(text: string, { source, env }: { source: string; env: NodeJS.ProcessEnv }): LoadedConfig {
  const { overrides, problems, warnings } = readOverrides(env);
  const value = withOverrides(withoutEmptySections(parseYaml(text, source)), overrides);
  const parsed = configSchema.safeParse(value, { error: wording });
  if (!parsed.success || problems.length > 0) {
    const found = parsed.error ? problemsOf(parsed.error.issues).map((it) => withVariable(it, overrides)) : [];
    throw new ConfigError(source, [...found, ...problems]);
  }
  return { config: parsed.data, source, warnings: [...warningsOf(parsed.data), ...warnings] };
}

async function readConfigFile(path: string, required: boolean): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    if (code === 'ENOENT' && !required) return null;
    throw new EyelineError('CONFIG_UNREADABLE', `${path}: cannot be read (${code})`, { cause: error });
  }
}

function parseYaml(text: string, source: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { prettyErrors: false, lineCounter: lines });
  const faults = [...document.errors, ...document.warnings];
  if (faults.length === 0) return document.toJS() ?? {};
  const told = faults.map((fault) => {
    const { line, col } = lines.linePos(fault.pos[0]);
    return `${source}:${line}:${col}: ${redact(fault.message)}`;
  });
  throw new EyelineError('CONFIG_UNREADABLE', told.join('\n'));
}

/** A section whose keys are all commented out reads as null: it has its defaults. */
function withoutEmptySections(value: unknown): unknown {
  let filled = value;
  for (const { path } of configKeys().filter((key) => key.section)) {
    filled = change(filled, path, (it) => (it === null ? {} : it));
  }
  return filled;
}

function withOverrides(value: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce((changed, it) => change(changed, it.path, () => it.value), value);
}

/** A copy with the value at `path` changed; what is no section on the way is left for the schema to refuse. */
function change(value: unknown, path: readonly string[], to: (value: unknown) => unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return to(value);
  if (value !== undefined && !isRecord(value)) return value;
  const before = value?.[name];
  const after = change(before, rest, to);
  return after === before ? value : { ...value, [name]: after };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function withVariable(problem: ConfigProblem, overrides: readonly Override[]): ConfigProblem {
  const by = overrides.find(({ path }) => {
    const key = path.join('.');
    return problem.path === key || problem.path.startsWith(`${key}.`) || problem.path.startsWith(`${key}[`);
  });
  return by ? { path: `${problem.path} (${by.variable})`, message: problem.message } : problem;
}
