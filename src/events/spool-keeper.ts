import { messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { EventSpool } from './event-spool.ts';
import type { IdentityEvent } from './identity-event.ts';
import { LogOnce } from './log-once.ts';

/** Answers of the broker come in bursts: so many are forgotten in one transaction. */
const FORGET_AT_ONCE = 64;

/** A spool whose failures are logged once and stop nobody: events that cannot be kept are sent from memory. */
export class SpoolKeeper {
  readonly #spool: EventSpool | null;
  readonly #log: LogOnce;
  #forgotten: number[] = [];
  #scheduled: NodeJS.Immediate | null = null;

  constructor(spool: EventSpool | null, logger: Logger) {
    this.#spool = spool;
    this.#log = new LogOnce(logger);
  }

  /** Positions of what an earlier run left, oldest first. */
  left(): readonly number[] {
    return this.#try('read', (spool) => spool.positions()) ?? [];
  }

  /** Keeps an event; null when it cannot. */
  keep(event: IdentityEvent): number | null {
    return this.#try('written', (spool) => spool.append(event));
  }

  read(position: number): IdentityEvent | null {
    return this.#try('read', (spool) => spool.read(position));
  }

  /** The event is done with. Written within this turn of the event loop; one that is killed before sends it again, late. */
  forget(position: number): void {
    this.#forgotten.push(position);
    if (this.#forgotten.length >= FORGET_AT_ONCE) this.#flush();
    else this.#scheduled ??= setImmediate(() => this.#flush());
  }

  close(): void {
    this.#flush();
    this.#spool?.close();
  }

  #flush(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled);
    this.#scheduled = null;
    const positions = this.#forgotten;
    this.#forgotten = [];
    if (positions.length > 0) this.#try('written', (spool) => spool.remove(positions));
  }

  #try<T>(how: string, work: (spool: EventSpool) => T): T | null {
    try {
      return this.#spool ? work(this.#spool) : null;
    } catch (error) {
      this.#log.error(
        { error },
        `the event spool cannot be ${how}: ${messageOf(error)}; events are kept in memory alone`,
      );
      return null;
    }
  }
}
