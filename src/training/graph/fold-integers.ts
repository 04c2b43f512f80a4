import type { Attributes, Shape } from '../engine.ts';

/** Integers that are known when a step is built: what exporters compute shapes with. */
export interface Integers {
  readonly shape: Shape;
  readonly values: readonly number[];
}

/**
 * The result of an operator on known integers, or null when it is none of those that shapes are computed with (Gather,
 * Concat, Squeeze, Unsqueeze, Slice, Cast, Add, Sub, Mul, Div on vectors and scalars).
 */
export function foldIntegers(opType: string, inputs: readonly Integers[], attributes: Attributes): Integers | null {
  const [first, second] = inputs;
  if (!first || inputs.some(({ shape }) => shape.length > 1)) return null;
  switch (opType) {
    case 'Identity':
    case 'Cast':
      return first;
    case 'Concat': {
      const values = inputs.flatMap((it) => it.values);
      return { shape: [values.length], values };
    }
    case 'Gather': {
      if (!second) return null;
      const values = second.values.map((at) => first.values[at < 0 ? at + first.values.length : at] ?? 0);
      return { shape: second.shape, values };
    }
    case 'Squeeze':
      return { shape: [], values: first.values.slice(0, 1) };
    case 'Unsqueeze':
      return first.shape.length === 0 ? { shape: [1], values: first.values } : null;
    case 'Slice': {
      const [starts, ends] = ['starts', 'ends'].map((name, index) => attributes[name] ?? inputs[index + 1]?.values);
      const [start, end] = [starts, ends].map((list) => (Array.isArray(list) ? Number(list[0]) : 0));
      const values = first.values.slice(start, end);
      return { shape: [values.length], values };
    }
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
      return second ? combined(opType, first, second) : null;
    default:
      return null;
  }
}

function combined(opType: 'Add' | 'Sub' | 'Mul' | 'Div', a: Integers, b: Integers): Integers {
  const longer = a.values.length >= b.values.length ? a : b;
  const values = longer.values.map((_, index) => {
    const [one, other] = [a, b].map(({ values: all }) => all[all.length === 1 ? 0 : index] ?? 0);
    return of(opType, one ?? 0, other ?? 0);
  });
  return { shape: longer.shape, values };
}

function of(opType: 'Add' | 'Sub' | 'Mul' | 'Div', a: number, b: number): number {
  if (opType === 'Add') return a + b;
  if (opType === 'Sub') return a - b;
  return opType === 'Mul' ? a * b : Math.trunc(a / b);
}
