import { EyelineError } from '../core/errors.ts';
import { redact, redactUrl } from '../core/redact.ts';

const DEEPEST = 8;
const SECRET_NAMES = /^(?:password|passwd|pwd|passphrase|secret|token|authorization|keypassword|credentials)$/i;

/**
 * A plain copy of anything for a log: credentials replaced in every text, values under names such as `password`
 * hidden, errors with message, code, help and stack, and what is no data (buffers, cycles, too deep) named only.
 */
export function loggable(value: string): string;
export function loggable(value: object): Record<string, unknown>;
export function loggable(value: unknown): unknown {
  return copy(value, new Set());
}

function copy(value: unknown, above: ReadonlySet<object>): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return '[circular]';
  if (above.size >= DEEPEST) return '[too deep]';
  const inside = new Set(above).add(value);
  if (value instanceof Error) return copyOfError(value, inside);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactUrl(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.constructor.name} of ${value.byteLength} bytes]`;
  if (value instanceof Map) return copy(Object.fromEntries(value), inside);
  if (Array.isArray(value) || value instanceof Set) return Array.from(value, (it) => copy(it, inside));
  return copyOfFields(value, inside);
}

function copyOfError(error: Error, above: ReadonlySet<object>): object {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message: redact(message),
    ...(error instanceof EyelineError && { help: error.help }),
    ...copyOfFields(error, above, ['name', 'message', 'stack', 'cause']),
    ...(stack && { stack: redact(stack) }),
    ...(cause !== undefined && { cause: copy(cause, above) }),
  };
}

function copyOfFields(value: object, above: ReadonlySet<object>, without: readonly string[] = []): object {
  const fields = Object.entries(value).filter(([name, it]) => !without.includes(name) && typeof it !== 'function');
  return Object.fromEntries(
    fields.map(([name, it]) => [redact(name), SECRET_NAMES.test(name) && it ? '***' : copy(it, above)]),
  );
}
