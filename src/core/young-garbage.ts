import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: ((options: { type: 'minor'; execution: 'sync' }) => void) | undefined;

/**
 * Frees what was used for a moment. Pictures leave megabytes of it outside of V8's own heap: left alone it is collected by
 * going through all memory, many milliseconds each time.
 */
export function collectYoungGarbage(): void {
  collect ??= exposed();
  collect({ type: 'minor', execution: 'sync' });
}

/** V8's own collector; the flag counts for contexts that are made after it is set. */
function exposed(): NonNullable<typeof collect> {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}
