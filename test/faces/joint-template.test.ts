import { describe, expect, it } from 'vitest';
import { jointTemplate } from '../../src/faces/joint-template.ts';
import { jointShareOf } from '../../src/inference/joint-share.ts';

const at = (degrees: number) =>
  Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180));

describe('a template made of two embeddings', () => {
  it.each([
    [0, 0],
    [0.5, 30],
    [1, 60],
  ])('lies between them: share %f', (share, degrees) => {
    const template = jointTemplate(at(0), at(60), share);
    expect(template[0]).toBeCloseTo(at(degrees)[0] ?? 0, 6);
    expect(template[1]).toBeCloseTo(at(degrees)[1] ?? 0, 6);
  });

  it('is of unit length, and leaves both as they are', () => {
    const [own, whole] = [at(10), at(80)];
    expect(Math.hypot(...jointTemplate(own, whole, 0.3))).toBeCloseTo(1, 6);
    expect([own, whole]).toEqual([at(10), at(80)]);
  });

  it('is none of two sizes', () => {
    expect(() => jointTemplate(at(0), new Float32Array(3), 0.5)).toThrow(/dimensions differ: 2 and 3/);
  });
});

describe('the share of the full-face encoder', () => {
  const full = { id: 'full', fingerprint: 'abc' };

  it('is what the manifest says of the encoder in use, and none where it says nothing', () => {
    expect(jointShareOf({ id: 'upper', jointWith: { encoder: 'abc', share: 0.4 } }, full)).toBe(0.4);
    expect(jointShareOf({ id: 'upper' }, full)).toBe(0);
  });

  it('is refused for another encoder, with what to do', () => {
    expect(() => jointShareOf({ id: 'upper', jointWith: { encoder: 'other', share: 0.4 } }, full)).toThrow(
      /templates of upper are made together with another encoder than models\.encoder: full, .* is abc: .*set models\.upperEncoder to null/,
    );
  });
});
