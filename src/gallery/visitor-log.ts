import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { type Denials, NO_DENIALS } from './denial.ts';
import type { SqliteVisitorStore } from './sqlite-visitor-store.ts';
import type { SameVisitor, TrackSighting } from './visitor.ts';

/** Takes decided tracks into the store; one that fails costs the visitor's id, not the event, and is logged until it works. */
export function createVisitorLog(
  store: Pick<SqliteVisitorStore, 'admit' | 'remember' | 'denials'>,
  sameVisitor: SameVisitor,
  logger: Logger,
): {
  admit(sighting: TrackSighting): string | null;
  remember(sighting: TrackSighting, personId: string): void;
  /** What somebody said that tracks are not; what was read last when the store fails. */
  denials(): Denials;
} {
  let said = NO_DENIALS;
  let failure = '';
  const attempt = <T>(work: () => T): T | null => {
    try {
      const result = work();
      failure = '';
      return result;
    } catch (error) {
      const message = messageOf(error);
      if (message !== failure) logger.error({ part: 'visitors', error: message }, `visitors: ${message}`);
      failure = message;
      return null;
    }
  };
  return {
    admit: (sighting) => attempt(() => store.admit(sighting, sameVisitor)),
    remember: (sighting, personId) => void attempt(() => store.remember(sighting, personId)),
    denials: () => {
      said = attempt(() => store.denials()) ?? said;
      return said;
    },
  };
}
