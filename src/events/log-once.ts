import type { Logger } from '../core/logger.ts';

/** Distinct messages remembered; past that all are forgotten, so that memory stays bounded. */
const REMEMBERED_MAX = 100;

/** Says a thing once, however often it happens, until it is told to {@link forget}. */
export class LogOnce {
  readonly #logger: Logger;
  readonly #said = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  warn(fields: object, message: string): void {
    if (this.#isNew(message)) this.#logger.warn(fields, message);
  }

  error(fields: object, message: string): void {
    if (this.#isNew(message)) this.#logger.error(fields, message);
  }

  /** What was said may be said again. */
  forget(): void {
    this.#said.clear();
  }

  #isNew(message: string): boolean {
    if (this.#said.has(message)) return false;
    if (this.#said.size >= REMEMBERED_MAX) this.#said.clear();
    this.#said.add(message);
    return true;
  }
}
