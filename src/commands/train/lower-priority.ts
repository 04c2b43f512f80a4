import { getPriority, setPriority } from 'node:os';
import { EyelineError, messageOf } from '../../core/errors.ts';

/** Priority of a training that is given none. */
const DEFAULT_NICE = 10;

/**
 * Lowers the priority of a process, so that a daemon keeps its cameras: to 10 unless told, or not at all where it is lower already.
 * Throws USAGE when one that was asked for is refused by the system.
 *
 * @param nice as `nice` has it, 19 is the lowest; undefined where none was asked for
 * @param pid  the process; 0 for this one
 */
export function lowerPriority(nice: number | undefined, pid = 0): void {
  if (nice === undefined) {
    if (getPriority(pid) < DEFAULT_NICE) setPriority(pid, DEFAULT_NICE);
    return;
  }
  try {
    setPriority(pid, nice);
  } catch (error) {
    throw new EyelineError(
      'USAGE',
      `--nice ${nice} is refused by the system: ${messageOf(error)}; leave it out, or give no less than the priority it is started with`,
      { cause: error },
    );
  }
}
