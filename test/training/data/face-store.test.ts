import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changedPart } from '../../../src/training/data/face-store.ts';

const SIZE = { width: 14, height: 11 };
const pixels = fc.array(fc.tuple(fc.integer({ min: 3, max: 9 }), fc.integer({ min: 2, max: 8 })), { maxLength: 6 });

it('finds where a picture changed, in the whole as in the part it happened in', () => {
  fc.assert(
    fc.property(pixels, fc.integer({ min: 0, max: 2 }), (changed, channel) => {
      const before = new Uint8Array(SIZE.width * SIZE.height * 3).fill(7);
      const rgb = before.slice();
      for (const [x, y] of changed) rgb[(y * SIZE.width + x) * 3 + channel] = 9;
      const part = changedPart(before, { rgb, ...SIZE });
      expect(changedPart(before, { rgb, ...SIZE }, { x: 3, y: 2, width: 7, height: 7 })).toEqual(part);
      expect(part === null).toBe(changed.length === 0);
      if (!part) return;
      const [xs, ys] = [changed.map(([x]) => x), changed.map(([, y]) => y)];
      expect(part).toMatchObject({ x: Math.min(...xs), y: Math.min(...ys) });
      const again = before.slice();
      const { x, y, width, height, rgb: patch } = part;
      for (let row = 0; row < height; row++) {
        again.set(patch.subarray(row * width * 3, (row + 1) * width * 3), ((y + row) * SIZE.width + x) * 3);
      }
      expect(again).toEqual(rgb);
    }),
  );
});
