import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox, type Waiting } from '../../src/events/outbox.ts';

describe('Outbox', () => {
  it('drops the oldest that wait', () => {
    const outbox = new Outbox<string>(2);
    expect(['a', 'b', 'c', 'd'].map((item) => outbox.push(item, true))).toEqual([[], [], ['a'], ['b']]);
    expect([outbox.take()?.item, outbox.take()?.item, outbox.take()]).toEqual(['c', 'd', null]);
  });

  it('takes back what is in flight, first and late', () => {
    const outbox = new Outbox<string>(10);
    for (const item of ['a', 'b', 'c']) outbox.push(item, false);
    const a = outbox.take();
    outbox.take();
    expect(a && outbox.settle(a)).toBe(true);
    expect(outbox.recall()).toEqual([]);
    expect([outbox.take(), outbox.take(), outbox.take()]).toEqual([
      { item: 'b', late: true },
      { item: 'c', late: true },
      null,
    ]);
  });

  it('passes over an answer to what it has taken back', () => {
    const outbox = new Outbox<string>(10);
    outbox.push('a', false);
    const a = outbox.take();
    outbox.recall();
    expect(a && outbox.settle(a)).toBe(false);
    expect(outbox.waiting).toBe(1);
  });

  it('keeps order, bounds and marks through any sequence of connections', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('push', 'push late') },
      { weight: 3, arbitrary: fc.constant('send') },
      { weight: 2, arbitrary: fc.constant('acknowledge') },
      { weight: 1, arbitrary: fc.constant('break') },
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 80 }), (max, steps) => {
        const outbox = new Outbox<number>(max);
        const inFlight: Waiting<number>[] = [];
        // What must be marked when it is sent: what met a break of the connection or came while there was none.
        const mustBeLate = new Set<number>();
        const unsettled = new Set<number>();
        let pushed = 0;
        let dropped = 0;
        let settled = 0;
        let lastSent = 0;
        for (const what of steps) {
          if (what === 'push' || what === 'push late') {
            pushed++;
            unsettled.add(pushed);
            if (what === 'push late') mustBeLate.add(pushed);
            dropped += outbox.push(pushed, what === 'push late').length;
          } else if (what === 'send') {
            const next = outbox.take();
            if (!next) continue;
            expect(next.item).toBeGreaterThan(lastSent);
            expect(next.late).toBe(mustBeLate.has(next.item));
            lastSent = next.item;
            inFlight.push(next);
          } else if (what === 'acknowledge') {
            const sent = inFlight.shift();
            if (!sent) continue;
            expect(outbox.settle(sent)).toBe(true);
            unsettled.delete(sent.item);
            settled++;
          } else {
            inFlight.length = 0;
            lastSent = 0;
            for (const item of unsettled) mustBeLate.add(item);
            dropped += outbox.recall().length;
          }
          expect(outbox.waiting).toBeLessThanOrEqual(max);
          expect(outbox.inFlight).toBe(inFlight.length);
          // Nothing vanishes uncounted.
          expect(settled + dropped + outbox.waiting + outbox.inFlight).toBe(pushed);
        }
      }),
      { numRuns: 500 },
    );
  });
});
