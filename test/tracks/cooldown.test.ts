import { expect, it } from 'vitest';
import { cosine } from '../../src/faces/embedding.ts';
import { Cooldown } from '../../src/tracks/cooldown.ts';

const ann = { id: 'ann', name: 'Ann' };
const bob = { id: 'bob', name: 'Bob' };
const unit = (angle: number) => Float32Array.from([Math.cos(angle), Math.sin(angle)]);

it('announces a person again only after the cool-down, each on their own', () => {
  const cooldown = new Cooldown({ cooldownMs: 1000, sameStranger: 0.5 }, cosine);
  expect(cooldown.admitPerson(ann, 0)).toBe(true);
  expect(cooldown.admitPerson(ann, 999)).toBe(false);
  expect(cooldown.admitPerson(bob, 999)).toBe(true);
  expect(cooldown.admitPerson(ann, 1000)).toBe(true);
});

it('announces a stranger who looks different at once, one who looks the same after the cool-down', () => {
  const cooldown = new Cooldown({ cooldownMs: 1000, sameStranger: 0.5 }, cosine);
  expect(cooldown.admitStranger(unit(0), 0)).toBe(true);
  expect(cooldown.admitStranger(unit(0.5), 500)).toBe(false);
  expect(cooldown.admitStranger(unit(2), 500)).toBe(true);
  expect(cooldown.admitStranger(unit(0), 1000)).toBe(true);
});
