import type { Attributes, Shape } from '../engine.ts';
import { intsOf } from './operator.ts';

/** The window a convolution or pooling moves over rows and columns. */
export interface Window {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly dilations: readonly [number, number];
}

/**
 * Reads the attributes of Conv, AveragePool or MaxPool; `auto_pad` is worked out for a tensor of `shape`.
 * Throws a plain Error when it is not about rows and columns.
 */
export function windowOf(attributes: Attributes, shape: Shape, kernelShape?: Shape): Window {
  if (shape.length !== 4)
    throw new Error(`it works on ${shape.length} dimensions, only batch x channels x rows x columns is known`);
  const two = (name: string): readonly [number, number] => {
    const [rows = 1, columns = 1] = intsOf(attributes, name) ?? [];
    return [rows, columns];
  };
  const [height, width] = intsOf(attributes, 'kernel_shape') ?? kernelShape ?? [];
  if (height === undefined || width === undefined) throw new Error('its kernel has no size');
  const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(attributes, 'pads') ?? [];
  const window = { kernel: [height, width], strides: two('strides'), dilations: two('dilations') } as const;
  const { auto_pad: automatic } = attributes;
  if (automatic === 'SAME_UPPER' || automatic === 'SAME_LOWER') {
    const pads = [0, 1].map((axis) => {
      const [size = 1, stride = 1] = [shape[axis + 2], window.strides[axis]];
      const reach = ((window.kernel[axis] ?? 1) - 1) * (window.dilations[axis] ?? 1) + 1;
      const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + reach - size);
      const small = Math.floor(total / 2);
      return automatic === 'SAME_UPPER' ? [small, total - small] : [total - small, small];
    });
    const [rows = [0, 0], columns = [0, 0]] = pads;
    return { ...window, pads: [rows[0] ?? 0, columns[0] ?? 0, rows[1] ?? 0, columns[1] ?? 0] };
  }
  return { ...window, pads: automatic === 'VALID' ? [0, 0, 0, 0] : [top, left, bottom, right] };
}

/** Rows and columns of what a window gives. */
export function outputSize({ kernel, strides, pads, dilations }: Window, shape: Shape): [number, number] {
  const along = (axis: 0 | 1) =>
    Math.floor(
      ((shape[axis + 2] ?? 1) + pads[axis] + pads[(axis + 2) as 2 | 3] - (kernel[axis] - 1) * dilations[axis] - 1) /
        strides[axis],
    ) + 1;
  return [along(0), along(1)];
}

export function attributesOf({ kernel, strides, pads, dilations }: Window): Attributes {
  return { kernel_shape: kernel, strides, pads, dilations };
}
