import type { Shape } from '../engine.ts';

export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The shape two tensors are stretched to (ONNX, multidirectional broadcasting). Throws a plain Error when they do not fit. */
export function broadcast(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, index) => {
    const one = a[a.length - rank + index] ?? 1;
    const other = b[b.length - rank + index] ?? 1;
    if (one !== other && one !== 1 && other !== 1) throw new Error(`shapes ${text(a)} and ${text(b)} do not fit`);
    return one === 1 ? other : one;
  });
}

/** Axes counted from the front, in order. */
export function normalAxes(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, index) => size === b[index]);
}

/** What a Reshape gives: 0 keeps a size, one -1 takes what is left. Throws a plain Error when the number does not fit. */
export function reshaped(from: Shape, to: readonly number[]): Shape {
  const sizes = to.map((size, index) => (size === 0 ? (from[index] ?? 0) : size));
  const rest = sizes.reduce((product, size) => (size < 0 ? product : product * size), 1);
  const shape = sizes.map((size) => (size < 0 ? sizeOf(from) / rest : size));
  if (sizeOf(shape) !== sizeOf(from) || !shape.every(Number.isInteger)) {
    throw new Error(`${text(from)} cannot be reshaped to ${text(to)}`);
  }
  return shape;
}

export function text(shape: readonly number[]): string {
  return shape.length === 0 ? 'a scalar' : shape.join(' x ');
}
