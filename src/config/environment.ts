import { parseDocument } from 'yaml';
import { configKeys, formsOf, isSecret, type JsonSchema } from './keys.ts';
import { ENV_PREFIX } from './schema.ts';
import { nearest } from './suggest.ts';

/** Names the configuration file for every command that was given none. */
export const CONFIG_VARIABLE = `${ENV_PREFIX}CONFIG`;

export interface Override {
  readonly path: readonly string[];
  readonly variable: string;
  readonly value: unknown;
}

export interface Overrides {
  readonly overrides: readonly Override[];
  readonly problems: readonly { readonly path: string; readonly message: string }[];
  readonly warnings: readonly string[];
}

/**
 * Keys set by environment variables (`EYELINE_MQTT_URL`). A text is taken as it stands, everything else is read as YAML
 * (`4`, `true`, `[cuda, cpu]`); the text of a secret stays in the environment. An empty variable counts as not set.
 */
export function readOverrides(env: NodeJS.ProcessEnv): Overrides {
  const keys = configKeys().filter((key) => !key.section);
  const overrides: Override[] = [];
  const problems: { path: string; message: string }[] = [];
  const warnings: string[] = [];
  for (const [variable, text] of Object.entries(env).sort()) {
    if (!variable.startsWith(ENV_PREFIX) || variable === CONFIG_VARIABLE || !text) continue;
    const key = keys.find((it) => it.variable === variable);
    if (!key) {
      const near = nearest(variable, [CONFIG_VARIABLE, ...keys.map((it) => it.variable)]);
      warnings.push(`${variable}: sets no key${near ? ` (did you mean "${near}"?)` : ''}`);
      continue;
    }
    const value = readValue(variable, text, key.schema);
    if (value) overrides.push({ path: key.path, variable, ...value });
    else problems.push({ path: `${key.path.join('.')} (${variable})`, message: 'is not YAML' });
  }
  return { overrides, problems, warnings };
}

function readValue(variable: string, text: string, schema: JsonSchema): { value: unknown } | null {
  const forms = formsOf(schema);
  if (text === 'null' && forms.some((it) => it.type === 'null')) return { value: null };
  if (isSecret(schema) && !text.startsWith('{')) return { value: { env: variable } };
  if (!isSecret(schema) && forms.some((it) => it.type === 'string')) return { value: text };
  const document = parseDocument(text, { prettyErrors: false });
  return document.errors.length === 0 && document.warnings.length === 0 ? { value: document.toJS() } : null;
}
