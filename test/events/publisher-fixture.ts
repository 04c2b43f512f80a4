import { systemClock } from '../../src/core/clock.ts';
import type { Logger } from '../../src/core/logger.ts';
import type { IdentityDraft } from '../../src/events/identity-event.ts';
import { MqttEventPublisher, type MqttEventPublisherOptions } from '../../src/events/mqtt-event-publisher.ts';

/** Options of a publisher for tests: device `porch`, cameras `door` (on) and `yard` (off), quick to reconnect. */
export function publisherOptions(
  url: string,
  changes: Partial<MqttEventPublisherOptions> = {},
): MqttEventPublisherOptions {
  return {
    url,
    username: null,
    password: null,
    clientId: null,
    prefix: 'eyeline',
    keepAliveS: 30,
    connectTimeoutMs: 10_000,
    protocolVersion: 'auto',
    reconnect: { firstDelayMs: 20, maxDelayMs: 100, factor: 2, jitter: 0 },
    tls: { ca: null, cert: null, key: null, passphrase: null, verify: true },
    device: { id: 'porch', name: 'Porch' },
    version: '0.1.0',
    cameras: [
      { id: 'door', name: 'Door', enabled: true },
      { id: 'yard', name: 'Yard', enabled: false },
    ],
    homeAssistant: {
      enabled: false,
      prefix: 'homeassistant',
      lastPersonS: 60,
      diagnosticsS: 30,
      temperature: true,
      snapshots: true,
    },
    commands: ['camera', 'settings'],
    expireAfterMs: 60_000,
    bufferMax: 1000,
    maxAgeMs: 86_400_000,
    spool: null,
    clock: systemClock,
    random: () => 0,
    logger: new KeepingLogger(),
    ...changes,
  };
}

/** A decision about Ada at the door, captured `agoMs` ago. */
export function draft(changes: Partial<IdentityDraft> = {}, agoMs = 50): IdentityDraft {
  return {
    type: 'enter',
    camera: 'door',
    track: 'door-1',
    firstSeenAtMs: Date.now() - agoMs - 200,
    lastSeenAtMs: Date.now() - agoMs,
    capturedAtMs: Date.now() - agoMs,
    decidedAtMs: Date.now(),
    decision: 'known',
    person: { id: 'ada', name: 'Ada Lovelace' },
    score: 0.71,
    threshold: 0.45,
    far: null,
    mask: null,
    encoder: 'sha256-abc',
    liveness: null,
    quality: 0.8,
    frames: 3,
    box: { x: 0.25, y: 0.125, width: 0.5, height: 0.5 },
    zones: [],
    crossing: null,
    latencyMs: { capture: 4, queue: 2, detect: 6, embed: 12, decide: 1 },
    galleryVersion: 7,
    ...changes,
  };
}

/** Resolves as soon as the condition holds; it is looked at after every change of the publisher. */
export async function until(publisher: MqttEventPublisher, condition: () => boolean): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve) => {
    publisher.onActivity(() => {
      if (condition()) resolve();
    });
  });
}

/** A publisher that is started and online. */
export async function onlinePublisher(options: MqttEventPublisherOptions): Promise<MqttEventPublisher> {
  const publisher = new MqttEventPublisher(options);
  publisher.start();
  await until(publisher, () => publisher.state === 'online');
  return publisher;
}

export interface Logged {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** Keeps what was logged. */
export class KeepingLogger implements Logger {
  readonly lines: Logged[] = [];

  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', fields, message });
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }

  /** Messages of warnings and errors. */
  get problems(): string[] {
    return this.lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message);
  }
}
