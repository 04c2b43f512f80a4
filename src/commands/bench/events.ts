import { join } from 'node:path';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { quantile, rounded } from '../../core/statistics.ts';
import { type IdentityDraft, identityEvent } from '../../events/identity-event.ts';
import { MqttEventPublisher } from '../../events/mqtt-event-publisher.ts';
import { MqttListener } from '../../events/mqtt-listener.ts';
import { openEventSpool } from '../../events/sqlite-event-spool.ts';
import { startMosquitto } from './local-mosquitto.ts';
import { until } from './until.ts';

const TICK_MS = 10;
const READY_MS = 10_000;
/** After the last event was handed over. */
const DRAIN_MS = 20_000;

export interface EventsBenchOptions {
  /** The broker; null starts a mosquitto of its own. */
  readonly broker: string | null;
  /** Events handed over a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly folder: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What became of the events on their way through spool and broker to a subscriber. */
export interface EventsBench {
  readonly broker: string;
  readonly asked: number;
  readonly handedOver: number;
  readonly received: number;
  readonly lost: number;
  readonly twice: number;
  readonly late: number;
  /** Received a second, from the first handed over to the last received. */
  readonly perSecond: number;
  /** From being handed over to being received. */
  readonly latencyMs: { readonly p50: number | null; readonly p95: number | null; readonly max: number | null };
}

/** Publishes identity events at a rate, kept on the disk on the way as the daemon does, and counts what arrives. */
export async function benchEvents(options: EventsBenchOptions): Promise<EventsBench> {
  const { folder, logger, rate, seconds, signal } = options;
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const broker = options.broker === null ? await startMosquitto(folder) : null;
    if (broker) undo.push(broker.stop);
    const url = broker?.url ?? options.broker ?? '';
    const arrivals = new Map<string, { atMs: number; decidedAtMs: number }>();
    let twice = 0;
    let late = 0;
    const listener = new MqttListener({
      url,
      topic: 'eyeline/bench-events/event',
      protocolVersion: 5,
      connectTimeoutMs: READY_MS,
      onMessage: (_topic, payload) => {
        const event = identityEvent.parse(JSON.parse(payload));
        if (arrivals.has(event.id)) twice++;
        else arrivals.set(event.id, { atMs: Date.now(), decidedAtMs: Date.parse(event.decidedAt) });
        if (event.late) late++;
      },
    });
    undo.push(() => listener.stop());
    await listener.start();
    const publisher = new MqttEventPublisher({
      ...publisherDefaults(url, rate * seconds),
      spool: openEventSpool(join(folder, 'events.sqlite'), 'bench-events', logger),
      logger,
    });
    undo.push(() => publisher.stop());
    publisher.start();
    await until(() => publisher.state === 'online', READY_MS, { what: 'the connection to the broker', signal });

    const startedMs = performance.now();
    let handedOver = 0;
    while (handedOver < rate * seconds && !signal.aborted) {
      const due = Math.min(rate * seconds, Math.floor(((performance.now() - startedMs) / 1000) * rate));
      for (; handedOver < due; handedOver++) publisher.publishIdentity(draft(handedOver));
      await systemClock.sleep(TICK_MS, signal).catch(() => {});
    }
    await until(() => arrivals.size >= handedOver, DRAIN_MS, { signal }).catch(() => {});
    const tookMs = performance.now() - startedMs;
    const latencies = [...arrivals.values()].map(({ atMs, decidedAtMs }) => atMs - decidedAtMs);
    return {
      broker: broker ? 'mosquitto, started for this' : 'the one given',
      asked: rate,
      handedOver,
      received: arrivals.size,
      lost: handedOver - arrivals.size,
      twice,
      late,
      perSecond: rounded((arrivals.size / tookMs) * 1000, 0),
      latencyMs: { p50: quantile(latencies, 0.5), p95: quantile(latencies, 0.95), max: quantile(latencies, 1) },
    };
  } finally {
    for (const step of undo.reverse()) await step();
  }
}

function publisherDefaults(url: string, bufferMax: number) {
  return {
    url,
    username: null,
    password: null,
    clientId: null,
    prefix: 'eyeline',
    keepAliveS: 15,
    connectTimeoutMs: READY_MS,
    protocolVersion: 'auto',
    reconnect: { firstDelayMs: 100, maxDelayMs: 1000, factor: 2, jitter: 0 },
    tls: { ca: null, cert: null, key: null, passphrase: null, verify: true },
    device: { id: 'bench-events', name: 'Bench' },
    version: '0',
    cameras: [],
    homeAssistant: {
      enabled: false,
      prefix: 'homeassistant',
      lastPersonS: 60,
      diagnosticsS: 30,
      temperature: false,
      snapshots: false,
    },
    commands: [],
    expireAfterMs: 60_000,
    bufferMax,
    maxAgeMs: 86_400_000,
    clock: systemClock,
    random: Math.random,
  } as const;
}

function draft(number: number): IdentityDraft {
  const nowMs = Date.now();
  return {
    type: 'enter',
    camera: 'door',
    track: `door-${number}`,
    firstSeenAtMs: nowMs - 300,
    lastSeenAtMs: nowMs,
    capturedAtMs: nowMs,
    decidedAtMs: nowMs,
    decision: 'unknown',
    person: null,
    score: 0.2,
    threshold: 0.48,
    far: null,
    visitor: null,
    mask: 'none',
    encoder: 'bench',
    liveness: null,
    quality: 0.8,
    frames: 6,
    box: { x: 0.4, y: 0.2, width: 0.1, height: 0.2 },
    zones: [],
    crossing: null,
    latencyMs: { capture: 1, queue: 1, detect: 1, embed: 1, decide: 1 },
    galleryVersion: 1,
  };
}
