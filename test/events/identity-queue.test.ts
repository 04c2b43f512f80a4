import { describe, expect, it } from 'vitest';
import { identityEvent } from '../../src/events/identity-event.ts';
import { IdentityQueue } from '../../src/events/identity-queue.ts';
import { draft, KeepingLogger } from './publisher-fixture.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function queueAt(bufferMax = 10) {
  const time = { wallMs: NOW, monotonicMs: 0 };
  const logger = new KeepingLogger();
  const clock = { now: () => time.wallMs, monotonic: () => time.monotonicMs, sleep: async () => {} };
  const queue = new IdentityQueue({ device: 'porch', expireAfterMs: 5000, bufferMax, clock, logger });
  const pass = (ms: number) => {
    time.wallMs += ms;
    time.monotonicMs += ms;
  };
  const send = () => {
    const next = queue.next();
    return next && { ...identityEvent.parse(JSON.parse(next.payload)), expiryS: next.expiryS, settle: next.settle };
  };
  return { queue, logger, time, pass, send };
}

const at = (agoMs: number) => draft({ capturedAtMs: NOW - agoMs, decidedAtMs: NOW });

describe('IdentityQueue', () => {
  it('counts events of one run and names each', () => {
    const { queue, send } = queueAt();
    queue.accept(at(100), false);
    queue.accept(at(100), false);
    const events = [send(), send()];
    expect(events.map((event) => event?.sequence)).toEqual([1, 2]);
    expect(new Set(events.map((event) => event?.bootId))).toEqual(new Set([queue.bootId]));
    expect(new Set(events.map((event) => event?.id)).size).toBe(2);
  });

  it('decides at the moment of sending whether an event is late and how long it lasts', () => {
    const { queue, pass, send } = queueAt();
    for (let n = 0; n < 4; n++) queue.accept(at(100), n === 3);
    expect(send()).toMatchObject({ late: false, expiryS: 5, expiresAt: '2026-01-02T03:04:09.900Z' });
    pass(1500);
    expect(send()).toMatchObject({ late: false, expiryS: 4, latencyMs: { publish: 1500 } });
    pass(3400);
    expect(send()).toMatchObject({ late: true, expiryS: 1, expiresAt: '2026-01-02T03:04:09.900Z' });
    expect(send()).toMatchObject({ late: true });
  });

  it('does not let a wall clock set back make an event fresh', () => {
    const { queue, time, pass, send } = queueAt();
    queue.accept(at(0), false);
    pass(6000);
    time.wallMs -= 3_600_000;
    expect(send()).toMatchObject({ late: true, expiryS: 1 });
  });

  it('sends again under the same id and sequence, late', () => {
    const { queue, send } = queueAt();
    queue.accept(at(0), false);
    const first = send();
    queue.recall();
    const again = send();
    expect(again).toMatchObject({ id: first?.id, sequence: 1, late: true });
    // An answer on the old connection that comes too late changes nothing.
    first?.settle(true);
    expect(queue.counters).toMatchObject({ published: 0, inFlight: 1 });
    again?.settle(true);
    expect(queue.counters).toMatchObject({ published: 1, late: 1, inFlight: 0 });
  });

  it('says once an outage that it drops events', () => {
    const { queue, logger } = queueAt(2);
    for (let n = 0; n < 5; n++) queue.accept(at(0), true);
    expect(logger.problems).toHaveLength(1);
    queue.recovered();
    for (let n = 0; n < 5; n++) queue.accept(at(0), true);
    expect(logger.problems).toHaveLength(2);
    expect(queue.counters).toMatchObject({ dropped: 8, waiting: 2 });
  });

  it('gives no sequence to a draft that makes no event, and says why once', () => {
    const { queue, logger, send } = queueAt();
    queue.accept({ ...at(0), quality: 1.5 }, false);
    queue.accept({ ...at(0), quality: 1.5 }, false);
    queue.accept(at(0), false);
    expect(send()?.sequence).toBe(1);
    expect(queue.counters).toMatchObject({ invalid: 2 });
    expect(logger.problems).toEqual([
      'camera door: identity event is not valid: quality: Too big: expected number to be <=1',
    ]);
  });

  it('drops and counts what is left at the end', () => {
    const { queue, logger, send } = queueAt();
    for (let n = 0; n < 3; n++) queue.accept(at(0), false);
    send();
    queue.abandon();
    queue.refuse();
    expect(queue.counters).toMatchObject({ dropped: 4, waiting: 0, inFlight: 0 });
    expect(logger.problems).toEqual(['3 identity events were not sent before the stop']);
  });
});
