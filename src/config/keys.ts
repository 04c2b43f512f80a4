import { z } from 'zod';
import { configSchema, ENV_PREFIX } from './schema.ts';

/** The part of JSON Schema (2020-12) that the configuration's schema makes use of. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly writeOnly?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

/** One key of the configuration: a value, or a section that holds further keys. */
export interface ConfigKey {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
  readonly section: boolean;
  /** The environment variable that sets it; sections have none. */
  readonly variable: string;
}

/** JSON Schema of what may be written in the file. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

/** Every key outside lists, in the order of the schema, sections before what they hold. */
export function configKeys(schema: JsonSchema = configJsonSchema(), above: readonly string[] = []): ConfigKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, it]) => {
    const path = [...above, name];
    const section = it.properties !== undefined;
    return [{ path, schema: it, section, variable: variableOf(path) }, ...(section ? configKeys(it, path) : [])];
  });
}

/** The environment variable of a key: `mqtt.keepAliveS` is set by `EYELINE_MQTT_KEEP_ALIVE_S`. */
export function variableOf(path: readonly string[]): string {
  return ENV_PREFIX + path.map((part) => part.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()).join('_');
}

/** The forms a value may have, a `null` among them. */
export function formsOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf?.flatMap(formsOf) ?? [schema];
}

/** Whether the value is a secret, in whatever form. */
export function isSecret(schema: JsonSchema): boolean {
  return schema.writeOnly === true || (schema.anyOf?.some(isSecret) ?? false);
}
