import { expect, it } from 'vitest';
import { cosine } from '../../src/faces/embedding.ts';
import { Cooldown } from '../../src/tracks/cooldown.ts';

const ann = { id: 'ann', name: 'Ann' };
const bob = { id: 'bob', name: 'Bob' };
const face = (angle: number, encoder = 'full') => ({
  embedding: Float32Array.from([Math.cos(angle), Math.sin(angle)]),
  encoder,
});

it('announces a person again only after the cool-down, each on their own', () => {
  const cooldown = new Cooldown({ cooldownMs: 1000, sameStranger: () => 0.5 }, cosine);
  expect(cooldown.admitPerson(ann, 0)).toBe(true);
  expect(cooldown.admitPerson(ann, 999)).toBe(false);
  expect(cooldown.admitPerson(bob, 999)).toBe(true);
  expect(cooldown.admitPerson(ann, 1000)).toBe(true);
});

it('announces a stranger who looks different at once, one who looks the same after the cool-down', () => {
  const cooldown = new Cooldown({ cooldownMs: 1000, sameStranger: () => 0.5 }, cosine);
  expect(cooldown.admitStranger(face(0), 0)).toBe(true);
  expect(cooldown.admitStranger(face(0.5), 500)).toBe(false);
  expect(cooldown.admitStranger(face(2), 500)).toBe(true);
  // Another encoder's embedding of it says nothing of who was seen before.
  expect(cooldown.admitStranger(face(0, 'upper'), 500)).toBe(true);
  expect(cooldown.admitStranger(face(0), 1000)).toBe(true);
});
