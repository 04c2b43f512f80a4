import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Observation, verdictOf } from '../../src/tracks/vote.ts';

const POLICY = { agreeingFrames: 3, unknownFrames: 6 };

/** One letter a frame: `a`, `b` name a person, `-` names nobody. */
function frames(letters: string): Observation[] {
  return [...letters].map((letter) => ({
    person: letter === '-' ? null : { id: letter, name: letter.toUpperCase() },
    score: letter === '-' ? 0.2 : 0.6,
    encoder: 'full',
    quality: 0.8,
  }));
}

describe('verdictOf', () => {
  it.each([
    ['', 'undecided'],
    ['aa', 'undecided'],
    ['aaa', 'known a'],
    ['a-a-a', 'known a'],
    ['a--a-a', 'undecided'],
    ['aab', 'undecided'],
    ['bbaaa', 'undecided'],
    ['bbaaaaa', 'known a'],
    ['-----', 'undecided'],
    ['------', 'unknown'],
    ['a------', 'unknown'],
    ['-----a', 'undecided'],
    ['------aaa', 'known a'],
  ])('%s: %s', (letters, expected) => {
    const verdict = verdictOf(frames(letters), POLICY);
    expect(verdict.decision === 'known' ? `known ${verdict.person.id}` : verdict.decision).toBe(expected);
  });

  it('scores the frames that agree, and the closest miss of a stranger', () => {
    const scored = frames('a-aa').map((observation, index) => ({
      ...observation,
      score: [0.5, 0.1, 0.6, 0.7][index] ?? 0,
    }));
    expect(verdictOf(scored, POLICY)).toMatchObject({ decision: 'known', score: expect.closeTo(0.6, 9), frames: 3 });
    const masked = scored.map((observation, index) => (index < 3 ? observation : { ...observation, encoder: 'upper' }));
    expect(verdictOf(masked, POLICY)).toMatchObject({ person: { id: 'a' }, score: 0.7, frames: 3, encoder: 'upper' });
    const strange = frames('------').map((observation, index) => ({ ...observation, score: index === 2 ? 0.3 : 0.1 }));
    expect(verdictOf(strange, POLICY)).toMatchObject({ decision: 'unknown', score: 0.3, frames: 6 });
  });

  it('never decides on less than the configured frames, nor for somebody the latest frames dispute', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 12 });
    fc.assert(
      fc.property(
        letters,
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 8 }),
        (text, agreeing, unknown) => {
          const verdict = verdictOf(frames(text), { agreeingFrames: agreeing, unknownFrames: unknown });
          const recent = text.slice(-(2 * agreeing - 1));
          if (verdict.decision === 'known') {
            const count = [...recent].filter((letter) => letter === verdict.person.id).length;
            expect(count).toBeGreaterThanOrEqual(agreeing);
            expect(recent).not.toContain(verdict.person.id === 'a' ? 'b' : 'a');
          }
          if (verdict.decision === 'unknown') expect(text.slice(-unknown)).toBe('-'.repeat(unknown));
        },
      ),
    );
  });
});
