import { expect, it } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { ProgressLedger } from '../../src/platform/health.ts';
import { Watchdog } from '../../src/platform/watchdog.ts';

/** A clock whose sleeps end when told. */
function handClock() {
  let now = 0;
  const sleepers: { until: number; wake: () => void }[] = [];
  return {
    periods: [] as number[],
    monotonic: () => now,
    sleep(ms: number, signal?: AbortSignal): Promise<void> {
      this.periods.push(ms);
      return new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason));
        sleepers.push({ until: now + ms, wake: resolve });
      });
    },
    async advance(ms: number): Promise<void> {
      now += ms;
      for (const sleeper of sleepers.splice(0)) {
        if (sleeper.until <= now) sleeper.wake();
        else sleepers.push(sleeper);
      }
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

it('names parts that have not got on for too long', async () => {
  const clock = handClock();
  const ledger = new ProgressLedger(clock, 1000);
  expect(ledger.stalledParts()).toEqual([]);
  ledger.report('camera door');
  await clock.advance(600);
  ledger.report('mqtt');
  await clock.advance(400);
  expect(ledger.stalledParts()).toEqual([]);
  expect(ledger.stalledParts(1001)).toEqual(['camera door']);
  await clock.advance(601);
  expect(ledger.stalledParts()).toEqual(['camera door', 'mqtt']);
  ledger.forget('mqtt');
  ledger.report('camera door');
  expect(ledger.stalledParts()).toEqual([]);
});

function watched(watchdogMs: number | null) {
  const clock = handClock();
  const ledger = new ProgressLedger(clock, 100);
  const stalls: string[][] = [];
  const logged: string[] = [];
  let alive = 0;
  const watchdog = new Watchdog({
    clock,
    ledger,
    manager: { alive: () => alive++, watchdogMs },
    logger: { ...silentLogger, info: (_, text) => logged.push(text), error: (_, text) => logged.push(text) },
    checkEveryMs: 70,
    onStalled: (parts) => stalls.push([...parts]),
  });
  return { clock, ledger, watchdog, stalls, logged, alive: () => alive };
}

it('feeds the watchdog at half its period, only while all parts make progress', async () => {
  const it = watched(80);
  it.ledger.report('a');
  it.watchdog.start();
  expect(it.alive()).toBe(1);
  await it.clock.advance(40);
  await it.clock.advance(40);
  expect(it.alive()).toBe(3);
  await it.clock.advance(40);
  await it.clock.advance(40);
  expect(it.alive()).toBe(3);
  expect(it.stalls).toEqual([['a']]);
  it.ledger.report('a');
  await it.clock.advance(40);
  expect(it.alive()).toBe(4);
  expect(it.logged).toEqual(['no progress: the watchdog is not fed', 'progress again']);
  expect(new Set(it.clock.periods)).toEqual(new Set([40]));
  await it.watchdog.stop();
});

it('tells of a stall also when nobody watches', async () => {
  const it = watched(null);
  it.ledger.report('a');
  it.watchdog.start();
  await it.clock.advance(70);
  await it.clock.advance(70);
  expect(it.stalls).toEqual([['a']]);
  await it.watchdog.stop();
  await it.watchdog.stop();
});

it('can be stopped before it was started', async () => {
  await watched(null).watchdog.stop();
});
