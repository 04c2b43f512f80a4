import { type DestinationStream, pino } from 'pino';
import type { Logger } from '../core/logger.ts';
import { loggable } from './loggable.ts';

export interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** Where lines go; standard output unless told. */
  readonly destination?: DestinationStream;
}

/**
 * Logs one JSON object a line (pino): `level` as a word, `time` as ISO 8601, `msg`. Credentials in any text are
 * replaced on the way, also in nested fields and in stacks; errors are written out with their code and help.
 */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const sink = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // Errors are copied by `loggable`; pino would put an own copy in place of it.
      serializers: { err: (it: unknown) => it },
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
  const write = (method: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (!sink.isLevelEnabled(method)) return;
    const safe = loggable(fields instanceof Error ? { err: fields } : fields);
    // '%s' keeps pino from reading a '%' of the message as a placeholder.
    sink[method](safe, '%s', loggable(message));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
