import { type DestinationStream, pino } from 'pino';
import type { Logger } from '../core/logger.ts';
import { loggable } from './loggable.ts';

/** Characters of lines that wait until they can be written; what comes on top is lost. */
const MAX_WAITING = 1_000_000;

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
    destination ?? logDestination(1),
  );
  const write = (method: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    if (!sink.isLevelEnabled(method)) return;
    const safe = loggable(fields instanceof Error ? { err: fields } : fields);
    // '%s' keeps pino from reading a '%' of the message as a placeholder.
    sink[method](safe, '%s', loggable(message));
  };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/**
 * Writes lines to a file descriptor, one after another. Lines that cannot be written (the disk is full) wait for the next
 * that can, as long as there are not too many: no log is worth a daemon.
 */
export function logDestination(fd: number): DestinationStream {
  const stream = pino.destination({ fd, sync: true, maxLength: MAX_WAITING });
  // Without a listener the error would end the process.
  stream.on('error', () => {});
  return stream;
}
