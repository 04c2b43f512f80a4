import { expect, it } from 'vitest';
import type { MaskState } from '../../src/core/person.ts';
import { MaskMemory } from '../../src/tracks/mask-memory.ts';

const STATES: Readonly<Record<string, MaskState>> = { n: 'none', w: 'worn', i: 'incorrect' };

/** One letter a look; what is believed after each. */
function believed(letters: string, confidence = 0.95): string {
  const memory = new MaskMemory();
  return [...letters]
    .map((letter) => memory.see(1, { state: STATES[letter] ?? 'none', confidence })?.state[0])
    .join('');
}

it.each([
  ['is what the first look says', 'w', 'w'],
  ['stays for a single look that errs', 'nnnwnn', 'nnnnnn'],
  ['stays for one in the other direction', 'wwnww', 'wwwww'],
  ['changes with the second that says so', 'nnnwww', 'nnnnww'],
  ['tells a mask below the nose', 'wwiii', 'wwwii'],
  ['stays where one look in three errs', 'nnwnnw', 'nnnnnn'],
])('%s', (_, looks, expected) => {
  expect(believed(looks)).toBe(expected);
});

it('keeps tracks apart, forgets those that ended, and leaves alone what is not assessed', () => {
  const memory = new MaskMemory();
  const worn = { state: 'worn', confidence: 0.9 } as const;
  const none = { state: 'none', confidence: 0.9 } as const;
  for (let look = 0; look < 3; look++) memory.see(1, worn);
  expect(memory.see(2, none)).toEqual(none);
  expect(memory.see(1, null)).toBeNull();
  expect(memory.see(1, none)?.state).toBe('worn');
  memory.forget([1]);
  expect(memory.see(1, none)).toEqual(none);
});
