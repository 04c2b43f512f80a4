import { expect, it } from 'vitest';
import { reasonsAgainst } from '../../../src/training/run/gate.ts';

const judged = (maskedError: number, plainError: number) => ({ score: 0, figures: { maskedError, plainError } });

it.each([
  ['better under a mask and as good without', judged(0.02, 0.026), 0],
  ['no better under a mask', judged(0.07, 0.02), 1],
  ['worse without a mask', judged(0.02, 0.04), 1],
  ['neither', judged(0.08, 0.04), 2],
])('%s', (_, trained, reasons) => {
  expect(reasonsAgainst('landmarks', judged(0.07, 0.025), trained)).toHaveLength(reasons);
});

it('refuses what was not measured', () => {
  expect(reasonsAgainst('encoder', judged(0, 0), judged(0, 0))).toHaveLength(3);
});
