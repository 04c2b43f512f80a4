import { existsSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { Clock } from '../core/clock.ts';
import type { Logger } from '../core/logger.ts';
import { openVisitorStore } from '../gallery/sqlite-visitor-store.ts';
import type { SameVisitor, VisitorLimits } from '../gallery/visitor.ts';
import { createVisitorLog } from '../gallery/visitor-log.ts';

const DAY_MS = 86_400_000;

/** The log of visitors over its store, which stays open as long as the process. Throws GALLERY_UNREADABLE. */
export function openVisitors(
  { visitors }: Config,
  key: Uint8Array | undefined,
  sameVisitor: SameVisitor,
  logger: Logger,
  clock: Clock,
) {
  const store = openVisitorStore(visitors.file, { logger, clock, limits: visitorLimits(visitors), key });
  return {
    log: createVisitorLog(store, sameVisitor, logger),
    deny: (track: string, person?: string) => store.deny(track, person),
    erasePeople: (ids: readonly string[]) => store.erasePeople(ids),
    close: () => store.close(),
  };
}

/** Erases people from the file of visitors there is, where visitors are not kept any more. */
export function erasable({ visitors }: Config, key: Uint8Array | undefined, logger: Logger, clock: Clock) {
  return {
    erasePeople(ids: readonly string[]): void {
      if (!existsSync(visitors.file)) return;
      const limits = visitorLimits(visitors);
      const store = openVisitorStore(visitors.file, { logger, clock, limits, create: false, key });
      try {
        store.erasePeople(ids);
      } finally {
        store.close();
      }
    },
  };
}

/** How many visitors the configuration keeps, and for how long. */
export function visitorLimits({ max, keepDays }: Config['visitors']): VisitorLimits {
  return { maxVisitors: max, keepMs: keepDays * DAY_MS };
}
