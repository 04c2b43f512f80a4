import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/core/clock.ts';
import type { EventSpool } from '../../src/events/event-spool.ts';
import { identityEvent } from '../../src/events/identity-event.ts';
import { IdentityQueue } from '../../src/events/identity-queue.ts';
import { openEventSpool } from '../../src/events/sqlite-event-spool.ts';
import { openGalleryStore } from '../../src/gallery/sqlite-gallery-store.ts';
import { draft, KeepingLogger } from './publisher-fixture.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

function queueAt(bufferMax = 10, spool: EventSpool | null = null, atMs = NOW) {
  const time = { wallMs: atMs, monotonicMs: 0 };
  const logger = new KeepingLogger();
  const clock = { now: () => time.wallMs, monotonic: () => time.monotonicMs, sleep: async () => {} };
  const queue = new IdentityQueue({
    device: 'porch',
    expireAfterMs: 5000,
    bufferMax,
    maxAgeMs: 86_400_000,
    spool,
    clock,
    logger,
  });
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

describe('IdentityQueue with a spool', () => {
  let folder: string;
  const open = (logger = new KeepingLogger(), device = 'porch') =>
    openEventSpool(join(folder, 'events.sqlite'), device, logger);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-spool-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('sends what an earlier run left before its own, under the same names and late', () => {
    const first = queueAt(10, open());
    for (let n = 0; n < 3; n++) first.queue.accept(at(100), n > 0);
    const sent = first.send();
    first.queue.abandon();
    expect(first.logger.problems).toEqual([]);

    const second = queueAt(10, open(), NOW + 2000);
    second.queue.accept(draft({ capturedAtMs: NOW + 1900, decidedAtMs: NOW + 2000 }), false);
    const again = [second.send(), second.send(), second.send(), second.send()];
    expect(again.map((event) => [event?.bootId === first.queue.bootId, event?.sequence, event?.late])).toEqual([
      [true, 1, true],
      [true, 2, true],
      [true, 3, true],
      [false, 1, false],
    ]);
    // Not answered by the broker in the first run: it may have it.
    expect(again[0]?.id).toBe(sent?.id);
    expect(again[0]).toMatchObject({ expiryS: 3, latencyMs: { publish: 2000 } });
    for (const event of again) event?.settle(true);
    second.queue.abandon();

    const third = queueAt(10, open(), NOW + 3000);
    expect(third.send()).toBeNull();
    third.queue.abandon();
  });

  it('forgets what the broker has and what is dropped, and keeps the rest', () => {
    const first = queueAt(3, open());
    for (let n = 0; n < 5; n++) first.queue.accept(at(100), true);
    first.send()?.settle(true);
    first.queue.abandon();
    const second = queueAt(3, open());
    expect([second.send()?.sequence, second.send()?.sequence, second.send()]).toEqual([4, 5, null]);
    second.queue.abandon();
  });

  it('drops what is too old', () => {
    const first = queueAt(10, open());
    first.queue.accept(at(100), true);
    first.queue.abandon();
    const second = queueAt(10, open(), NOW + 90_000_000);
    expect(second.send()).toBeNull();
    expect(second.queue.counters).toMatchObject({ dropped: 1, waiting: 0, inFlight: 0 });
    second.queue.abandon();
  });

  it('goes on in memory when the disk fails, and says so once', () => {
    const broken = () => {
      throw new Error('disk full');
    };
    const spool = { append: broken, read: broken, remove: broken, positions: () => [], close: () => {} };
    const { queue, logger, send } = queueAt(10, spool);
    queue.accept(at(100), true);
    queue.accept(at(100), true);
    expect([send()?.sequence, send()?.sequence]).toEqual([1, 2]);
    expect(logger.problems).toEqual(['the event spool cannot be written: disk full; events are kept in memory alone']);
  });

  it('passes over what cannot be read', async () => {
    const spool = open();
    const { queue, send } = queueAt(10, spool);
    queue.accept(at(100), true);
    queue.accept(at(100), true);
    spool.remove([1]);
    expect(send()?.sequence).toBe(2);
    expect(queue.counters).toMatchObject({ dropped: 1 });
    queue.abandon();
  });

  it('is a file nobody else can read, in which each device has its own', async () => {
    const spool = open();
    const { queue } = queueAt(10, spool);
    queue.accept(at(100), true);
    expect((await stat(join(folder, 'events.sqlite'))).mode & 0o777).toBe(0o600);
    const other = open(new KeepingLogger(), 'gate');
    expect([spool.positions(), other.positions()]).toEqual([[1], []]);
    other.close();
    queue.abandon();
  });

  it('leaves the database of another program alone', async () => {
    const gallery = openGalleryStore(join(folder, 'events.sqlite'), {
      logger: new KeepingLogger(),
      clock: systemClock,
    });
    gallery.close();
    expect(() => open()).toThrow(/another program/);
  });

  it('sets a damaged file aside and begins anew', async () => {
    await writeFile(join(folder, 'events.sqlite'), 'This was a database once. '.repeat(400));
    const logger = new KeepingLogger();
    const spool = open(logger);
    expect(spool.positions()).toEqual([]);
    spool.close();
    expect(await readdir(folder)).toContain('events.sqlite.damaged');
    expect(logger.problems[0]).toContain('is damaged');
  });
});
