import type { Clock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { redact, redactUrl } from '../core/redact.ts';
import { type RetryPolicy, retryDelayMs } from '../core/retry.ts';
import { LogOnce } from './log-once.ts';
import { MqttConnection, type MqttConnectionOptions, type MqttEnd, type ProtocolVersion } from './mqtt-connection.ts';

/** A connection that held this long counts as recovered: delays start anew and reasons are logged again. */
const STABLE_AFTER_MS = 10_000;
/** "Unacceptable protocol version" of MQTT 3.1.1 and "Unsupported Protocol Version" of MQTT 5. */
const VERSION_REFUSALS: readonly (number | null)[] = [1, 132];

/** The version to speak; `auto` is MQTT 5, and 3.1.1 with brokers that refuse it. */
export type ProtocolChoice = ProtocolVersion | 'auto';

export interface MqttSupervisorOptions {
  readonly connection: Omit<MqttConnectionOptions, 'protocolVersion' | 'onUp'>;
  readonly protocolVersion: ProtocolChoice;
  readonly reconnect: RetryPolicy;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly logger: Logger;
  readonly onUp: (connection: MqttConnection) => void;
  /** A connection that was up has ended. */
  readonly onDown: () => void;
  /** There is another `lastError`. */
  readonly onFailure: () => void;
}

/** Keeps one connection to the broker: connects, waits and connects again until it is stopped. */
export class MqttSupervisor {
  readonly #options: MqttSupervisorOptions;
  readonly #abort = new AbortController();
  readonly #log: LogOnce;
  #running: Promise<void> | null = null;
  #current: MqttConnection | null = null;
  #upSinceMs: number | null = null;
  #version: ProtocolVersion;
  #lastError: EyelineError | null = null;

  constructor(options: MqttSupervisorOptions) {
    this.#options = options;
    this.#log = new LogOnce(options.logger);
    this.#version = options.protocolVersion === 4 ? 4 : 5;
  }

  /** The connection that is up, if one is. */
  get connection(): MqttConnection | null {
    return this.#upSinceMs === null ? null : this.#current;
  }

  /** Why there is no connection; null while there is one, or none was tried. */
  get lastError(): EyelineError | null {
    return this.#lastError;
  }

  /** Begins connecting and returns at once. */
  start(): void {
    if (!this.#abort.signal.aborted) this.#running ??= this.#run(this.#abort.signal);
  }

  /** Says goodbye to the broker and does not come back; `stop` still has to be called. */
  leave(): void {
    this.#abort.abort();
    this.connection?.close();
  }

  /** Drops what is still connected and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#current?.destroy();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, reconnect } = this.#options;
    let attempt = 0;
    while (!signal.aborted) {
      const { end, upMs } = await this.#live();
      if (signal.aborted) return;
      if (upMs >= STABLE_AFTER_MS) {
        attempt = 0;
        this.#log.forget();
      }
      if (this.#otherVersion(end, upMs)) continue;
      this.#tell(end.reason, upMs > 0);
      // Rejects only when aborted, and then the loop ends.
      await clock.sleep(retryDelayMs(reconnect, attempt++, random()), signal).catch(() => {});
    }
  }

  async #live(): Promise<{ end: MqttEnd; upMs: number }> {
    const { clock, logger, onDown, onUp } = this.#options;
    const protocolVersion = this.#version;
    const connection = new MqttConnection({
      ...this.#options.connection,
      protocolVersion,
      onUp: () => {
        this.#upSinceMs = clock.monotonic();
        this.#lastError = null;
        logger.info({ broker: this.#broker, protocolVersion }, 'connected to the MQTT broker');
        onUp(connection);
      },
    });
    this.#current = connection;
    const end = await connection.open();
    this.#current = null;
    const since = this.#upSinceMs;
    this.#upSinceMs = null;
    if (since === null) return { end, upMs: 0 };
    onDown();
    return { end, upMs: Math.max(1, clock.monotonic() - since) };
  }

  /** True when the broker is to be tried at once with another version of the protocol. */
  #otherVersion(end: MqttEnd, upMs: number): boolean {
    if (this.#options.protocolVersion !== 'auto') return false;
    if (this.#version === 5 && upMs === 0 && VERSION_REFUSALS.includes(end.refusal)) {
      this.#version = 4;
      return true;
    }
    // It may be another broker, or a newer one, that answers next time.
    if (upMs > 0) this.#version = 5;
    return false;
  }

  #tell(reason: string, wasUp: boolean): void {
    const what = wasUp ? 'lost the MQTT broker' : 'cannot reach the MQTT broker';
    const error = new EyelineError('MQTT_UNREACHABLE', `${what} ${this.#broker}: ${redact(reason)}`);
    this.#lastError = error;
    this.#options.onFailure();
    this.#log.warn({ code: error.code, help: error.help }, `${error.message}; trying again until it answers`);
  }

  get #broker(): string {
    return redactUrl(this.#options.connection.url);
  }
}
