import type { Operator } from './operator.ts';
import { arithmetic } from './operators/arithmetic.ts';
import { convolution } from './operators/convolution.ts';
import { elementwise } from './operators/elementwise.ts';
import { indexing } from './operators/indexing.ts';
import { matrices } from './operators/matrices.ts';
import { pooling } from './operators/pooling.ts';
import { reductions } from './operators/reductions.ts';
import { reshaping } from './operators/reshaping.ts';

/** Every operator that is known here, by its name in operator set 18. */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  ...arithmetic,
  ...convolution,
  ...elementwise,
  ...indexing,
  ...matrices,
  ...pooling,
  ...reductions,
  ...reshaping,
};
