import { describe, expect, it } from 'vitest';
import { RetainedState } from '../../src/events/retained-state.ts';

function takeAll(state: RetainedState): string[] {
  const taken: string[] = [];
  for (let next = state.take(); next; next = state.take()) taken.push(`${next.topic}=${next.payload}`);
  return taken;
}

describe('RetainedState', () => {
  it('tells the latest value of each topic once', () => {
    const state = new RetainedState();
    expect([state.set('a', '1'), state.set('b', '1'), state.set('a', '2'), state.set('a', '2')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(takeAll(state)).toEqual(['a=2', 'b=1']);
    expect(takeAll(state)).toEqual([]);
    state.set('b', '2');
    expect(takeAll(state)).toEqual(['b=2']);
  });

  it('tells everything again on a new connection', () => {
    const state = new RetainedState();
    state.set('a', '1');
    state.set('b', '1');
    takeAll(state);
    state.set('b', '2');
    state.forgetTold();
    expect(takeAll(state)).toEqual(['a=1', 'b=2']);
  });
});
