import type { Logger } from '../core/logger.ts';
import { LogOnce } from './log-once.ts';
import type { MqttConnection, MqttOutgoing } from './mqtt-connection.ts';
import { MqttSupervisor, type MqttSupervisorOptions } from './mqtt-supervisor.ts';
import type { RetainedState } from './retained-state.ts';

/** A message with what is to be done when the broker has answered: null, or why it refused. */
export interface Sendable {
  readonly message: MqttOutgoing;
  readonly done?: (refusal: string | null) => void;
}

export interface MqttSessionOptions {
  readonly supervisor: Omit<MqttSupervisorOptions, 'onUp' | 'onDown' | 'onFailure'>;
  /** Topic of the device's own status. */
  readonly statusTopic: string;
  /** What is subscribed to on every connection. */
  readonly subscriptions: readonly string[];
  /** What the broker is to hold. */
  readonly retained: RetainedState;
  /** The next message to send while online; null when there is none. */
  readonly next: () => Sendable | null;
  readonly onOnline: () => void;
  /** A connection that was up has ended: what was sent and not answered is in doubt. */
  readonly onDown: () => void;
  /** Something happened: a message was answered, the connection came or went. */
  readonly onChange: () => void;
  readonly logger: Logger;
}

/** The steps from a new connection to `online` and to the end; `down` is no connection. */
export type Phase = 'down' | 'subscribing' | 'stating' | 'announcing' | 'online' | 'leaving' | 'left';

/**
 * What is said on a connection and in which order: subscriptions, the state of everything, `online`, then messages as
 * they come, and `stopped` at the end. Whoever reads `online` finds the rest up to date and may send commands.
 */
export class MqttSession {
  readonly #options: MqttSessionOptions;
  readonly #supervisor: MqttSupervisor;
  readonly #log: LogOnce;
  readonly #count = { connects: 0, refused: 0 };
  #phase: Phase = 'down';
  #statesInFlight = 0;

  constructor(options: MqttSessionOptions) {
    this.#options = options;
    this.#log = new LogOnce(options.logger);
    this.#supervisor = new MqttSupervisor({
      ...options.supervisor,
      onUp: (connection) => this.#up(connection),
      onDown: () => this.#down(),
      onFailure: options.onChange,
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Why the broker cannot be reached; null when it can or was not tried yet. */
  get lastError() {
    return this.#supervisor.lastError;
  }

  get counters() {
    return this.#count;
  }

  /** Begins connecting and returns at once. */
  start(): void {
    this.#supervisor.start();
  }

  /** Sends what is due, as far as the broker takes it now. */
  pump(): void {
    const { connection } = this.#supervisor;
    while (connection?.free && this.#sendNext(connection));
  }

  /** Says `stopped` and disconnects, in a moment; nothing else is sent from now on. */
  leave(): void {
    if (this.#phase === 'down') return;
    this.#phase = 'leaving';
    this.pump();
  }

  /** Drops what is still connected and resolves when nothing runs any more. */
  async stop(): Promise<void> {
    await this.#supervisor.stop();
  }

  #up(connection: MqttConnection): void {
    const { onChange, retained, subscriptions } = this.#options;
    this.#count.connects++;
    this.#phase = 'subscribing';
    this.#statesInFlight = 0;
    retained.forgetTold();
    connection.subscribe(subscriptions, (refusal) => {
      if (refusal) this.#log.warn({}, `the MQTT broker refused a subscription: ${refusal}`);
      if (this.#phase === 'subscribing') this.#phase = 'stating';
      this.pump();
      onChange();
    });
  }

  #down(): void {
    this.#phase = 'down';
    this.#options.onDown();
    this.#options.onChange();
  }

  /** Sends what is due next; false when nothing is. */
  #sendNext(connection: MqttConnection): boolean {
    if (this.#phase === 'left' || this.#phase === 'subscribing') return false;
    if (this.#phase === 'leaving') {
      this.#phase = 'left';
      this.#send(connection, { message: this.#status('stopped'), done: () => this.#supervisor.leave() });
      return true;
    }
    const state = this.#options.retained.take();
    if (state) {
      this.#statesInFlight++;
      this.#send(connection, { message: { ...state, retain: true }, done: () => this.#statesInFlight-- });
      return true;
    }
    if (this.#phase === 'stating' && this.#statesInFlight === 0) {
      this.#phase = 'announcing';
      this.#send(connection, { message: this.#status('online'), done: () => this.#online() });
      return true;
    }
    const next = this.#phase === 'online' ? this.#options.next() : null;
    if (next) this.#send(connection, next);
    return next !== null;
  }

  #online(): void {
    if (this.#phase !== 'announcing') return;
    this.#options.onOnline();
    this.#phase = 'online';
  }

  #send(connection: MqttConnection, { message, done }: Sendable): void {
    connection.publish(message, (refusal) => {
      if (refusal) {
        this.#count.refused++;
        const { topic } = message;
        this.#log.warn({ topic }, `the MQTT broker refused a message on ${topic}: ${refusal}`);
      }
      done?.(refusal);
      this.pump();
      this.#options.onChange();
    });
  }

  #status(payload: string): MqttOutgoing {
    return { topic: this.#options.statusTopic, payload, retain: true };
  }
}
