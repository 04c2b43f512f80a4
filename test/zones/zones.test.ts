import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, crossingOf, sideOf } from '../../src/zones/zone-geometry.ts';
import { ZoneWatch } from '../../src/zones/zone-watch.ts';

const at = (x: number, y: number) => ({ x, y });
const SQUARE = [at(0.2, 0.2), at(0.8, 0.2), at(0.8, 0.8), at(0.2, 0.8)];
/** An L: the upper right quarter is missing. */
const CORNER = [at(0, 0), at(0.5, 0), at(0.5, 0.5), at(1, 0.5), at(1, 1), at(0, 1)];
/** From left to right across the middle. */
const KERB = { id: 'kerb', from: at(0.2, 0.5), to: at(0.8, 0.5) };

/** Shares that a computer holds exactly, so that a point on a line is on it. */
const share = fc.integer({ min: 0, max: 256 }).map((step) => step / 256);
const point = fc.record({ x: share, y: share });

describe('contains', () => {
  it.each<[string, { x: number; y: number }[], number, number, boolean]>([
    ['the middle', SQUARE, 0.5, 0.5, true],
    ['left of it', SQUARE, 0.1, 0.5, false],
    ['right of it', SQUARE, 0.9, 0.5, false],
    ['above it', SQUARE, 0.5, 0.1, false],
    ['in line with an upper corner', SQUARE, 0.1, 0.2, false],
    ['the leg of an L', CORNER, 0.25, 0.25, true],
    ['the foot of an L', CORNER, 0.75, 0.75, true],
    ['the hollow of an L', CORNER, 0.75, 0.25, false],
  ])('%s', (_, polygon, x, y, inside) => {
    expect(contains(polygon, at(x, y))).toBe(inside);
    expect(contains([...polygon].reverse(), at(x, y))).toBe(inside);
  });

  it('agrees with the half-planes of a triangle', () => {
    fc.assert(
      fc.property(point, point, point, point, (a, b, c, p) => {
        const sides = [sideOf({ from: a, to: b }, p), sideOf({ from: b, to: c }, p), sideOf({ from: c, to: a }, p)];
        fc.pre(sides.every((side) => side !== 0));
        const inside = sides.every((side) => side > 0) || sides.every((side) => side < 0);
        expect(contains([a, b, c], p)).toBe(inside);
      }),
    );
  });
});

describe('crossingOf', () => {
  it.each([
    ['down over it is in', at(0.5, 0.4), at(0.5, 0.6), 'in'],
    ['up over it is out', at(0.5, 0.6), at(0.5, 0.4), 'out'],
    ['aslant', at(0.3, 0.4), at(0.6, 0.9), 'in'],
    ['beside it', at(0.1, 0.4), at(0.1, 0.6), null],
    ['along it', at(0.3, 0.4), at(0.7, 0.4), null],
    ['up to it', at(0.5, 0.4), at(0.5, 0.5), null],
    ['past its end', at(0.7, 0.3), at(0.95, 0.55), null],
  ])('%s', (_, before, now, direction) => {
    expect(crossingOf(KERB, before, now)).toBe(direction);
  });

  it('turns round with the line and with the step', () => {
    const other = { in: 'out', out: 'in' } as const;
    fc.assert(
      fc.property(point, point, point, point, (from, to, before, now) => {
        const direction = crossingOf({ id: 'l', from, to }, before, now);
        const turned = direction && other[direction];
        expect(crossingOf({ id: 'l', from: to, to: from }, before, now)).toBe(turned);
        expect(crossingOf({ id: 'l', from, to }, now, before)).toBe(turned);
      }),
    );
  });
});

describe('ZoneWatch', () => {
  const build = () =>
    new ZoneWatch(
      [
        { id: 'square', polygon: SQUARE },
        { id: 'corner', polygon: CORNER },
      ],
      [KERB],
    );

  it('follows a face through zones and over a line, and back', () => {
    const watch = build();
    const seen = [
      at(0.5, 0.1),
      at(0.6, 0.3),
      at(0.6, 0.5),
      at(0.6, 0.55),
      at(0.1, 0.9),
      at(0.6, 0.9),
      at(0.6, 0.45),
    ].map((place) => {
      watch.move(1, place);
      const { zones, crossing } = watch.at(1);
      return [zones.join(' '), crossing?.direction ?? null];
    });
    expect(seen).toEqual([
      ['', null],
      ['square', null],
      // On the line: not over it yet.
      ['square corner', null],
      ['square corner', 'in'],
      ['corner', 'in'],
      ['corner', 'in'],
      ['square', 'out'],
    ]);
  });

  it('has news once of each zone and each way over a line', () => {
    const watch = build();
    watch.move(1, at(0.9, 0.1));
    expect(watch.hasNews(1)).toBe(false);
    watch.move(1, at(0.6, 0.3));
    expect(watch.hasNews(1)).toBe(true);
    watch.tell(1);
    watch.move(1, at(0.9, 0.1));
    watch.move(1, at(0.6, 0.4));
    expect(watch.hasNews(1)).toBe(false);
    watch.move(1, at(0.6, 0.6));
    expect(watch.hasNews(1)).toBe(true);
    watch.tell(1);
    watch.move(1, at(0.6, 0.4));
    expect(watch.hasNews(1)).toBe(true);
  });

  it('keeps the way of a track that goes on under another number', () => {
    const watch = build();
    watch.move(1, at(0.5, 0.4));
    watch.move(1, at(0.5, 0.6));
    watch.tell(1);
    watch.move(2, at(0.9, 0.9));
    watch.rename([{ from: 2, to: 1, merged: true }]);
    expect(watch.at(1)).toEqual({ zones: ['corner'], crossing: { line: 'kerb', direction: 'in' } });
    expect([watch.hasNews(1), watch.at(2).zones]).toEqual([false, []]);
    watch.forget(1);
    expect(watch.at(1)).toEqual({ zones: [], crossing: null });
  });

  it('is where the face of each track is, once looks have shown that they were mixed up', () => {
    const watch = build();
    watch.move(1, at(0.1, 0.1));
    watch.move(2, at(0.6, 0.3));
    watch.tell(2);
    // The face taken for the first comes over the line, into the corner.
    watch.move(1, at(0.5, 0.4));
    watch.move(1, at(0.5, 0.9));
    watch.rename([
      { from: 1, to: 2, merged: false },
      { from: 2, to: 1, merged: false },
    ]);
    expect([watch.at(1), watch.at(2)]).toEqual([
      { zones: ['square'], crossing: null },
      { zones: ['corner'], crossing: null },
    ]);
    expect([watch.hasNews(1), watch.hasNews(2)]).toEqual([true, true]);
  });

  it('keeps what was told of a track whose face turns out to be of somebody new, and knows no place of it', () => {
    const watch = build();
    watch.move(1, at(0.5, 0.4));
    watch.move(1, at(0.5, 0.9));
    watch.tell(1);
    watch.rename([{ from: 1, to: 3, merged: false }]);
    expect([watch.at(1), watch.at(3)]).toEqual([
      { zones: [], crossing: { line: 'kerb', direction: 'in' } },
      { zones: ['corner'], crossing: null },
    ]);
    expect([watch.hasNews(1), watch.hasNews(3)]).toEqual([false, true]);
  });
});
