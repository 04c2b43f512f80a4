import type { Size } from '../../core/geometry.ts';
import type { NodeBuilder } from './node-builder.ts';
import { ONNX_TYPE } from './onnx-proto.ts';

/** OpenCV rounds what a column and what a row adds to a position to this part of a pixel each (AB_BITS). */
const TERM_STEPS = 1024;
/** And their sum to this part (INTER_BITS). */
const POSITION_STEPS = 32;

/** Channels of the crop by their place in the frame: BGR becomes RGB. */
const RGB_OF_BGR = [2, 1, 0];

/**
 * Nodes that cut crops of `size` out of one frame: UINT8, height x width x 3, BGR, and FLOAT matrices, n x 2 x 3, that map
 * frame to crop coordinates, to UINT8, n x height x width x 3, RGB. The numbers are those of OpenCV's `warpAffine` with
 * INTER_LINEAR and a black border, up to version 4.10 (imgproc/src/imgwarp.cpp): positions in fixed point, bilinear weights,
 * bytes rounded half up.
 *
 * Only the pixels a crop needs are read, four each: no node works on the whole frame, whatever its size. GridSample would
 * need all of it as floats, channels first, and a newer operator set. Needs operator set 8 and a frame of at least 2 x 2.
 */
export function warpNodes(b: NodeBuilder, frame: string, matrices: string, { width, height }: Size): string {
  const shape = b.op('Shape', [frame]);
  const rows = b.op('Gather', [shape, b.int64s([0])], { axis: 0 });
  const columns = b.op('Gather', [shape, b.int64s([1])], { axis: 0 });
  const [xOfU, xOfV, x0, yOfU, yOfV, y0] = inverted(b, matrices);
  const u = b.floats(upTo(width), [1, 1, width]);
  const v = b.floats(upTo(height), [1, height, 1]);
  const across = taps(b, position(b, [xOfU, u], [xOfV, v], x0), columns);
  const down = taps(b, position(b, [yOfU, u], [yOfV, v], y0), rows);

  // Index of a byte in the frame: (row * columns + column) * 3 + channel. INT32 is exact where FLOAT would not be.
  const stride = b.op('Mul', [b.op('Cast', [columns], { to: ONNX_TYPE.int32 }), b.int32s([3])]);
  const pixel = b.op('Add', [b.op('Mul', [down.first, stride]), b.op('Mul', [across.first, b.int32s([3])])]);
  const planes = b.int64s([-1, 1, height, width]);
  const corner = b.op('Add', [b.op('Reshape', [pixel, planes]), b.int32s(RGB_OF_BGR, [1, 3, 1, 1])]);
  const bytes = b.op('Reshape', [frame, b.int64s([-1])]);
  const right = b.int32s([3]);
  const steps = [
    { step: null, weight: [down.weights[0], across.weights[0]] },
    { step: right, weight: [down.weights[0], across.weights[1]] },
    { step: stride, weight: [down.weights[1], across.weights[0]] },
    { step: b.op('Add', [stride, right]), weight: [down.weights[1], across.weights[1]] },
  ] as const;
  const parts = steps.map(({ step, weight }) => {
    const at = step === null ? corner : b.op('Add', [corner, step]);
    const values = b.op('Cast', [b.op('Gather', [bytes, at], { axis: 0 })], { to: ONNX_TYPE.float });
    return b.op('Mul', [values, b.op('Reshape', [b.op('Mul', weight), planes])]);
  });
  const sum = parts.reduce((before, part) => b.op('Add', [before, part]));
  // A cast cuts off: half up is what OpenCV's fixed point does.
  const crops = b.op('Cast', [b.op('Add', [sum, b.floats([0.5])])], { to: ONNX_TYPE.uint8 });
  return b.op('Transpose', [crops], { perm: [0, 2, 3, 1] });
}

/** The six numbers of the inverse matrices, rows first, each n x 1 x 1. */
function inverted(b: NodeBuilder, matrices: string): [string, string, string, string, string, string] {
  const flat = b.op('Reshape', [matrices, b.int64s([-1, 6])]);
  const number = (index: number) => b.op('Gather', [flat, b.int64s([index], [1, 1])], { axis: 1 });
  const [a, bb, c, d, e, f] = [number(0), number(1), number(2), number(3), number(4), number(5)];
  const times = (p: string, q: string) => b.op('Mul', [p, q]);
  const difference = (p: string, q: string) => b.op('Sub', [p, q]);
  const determinant = difference(times(a, e), times(bb, d));
  const over = (p: string) => b.op('Div', [p, determinant]);
  return [
    over(e),
    over(b.op('Neg', [bb])),
    over(difference(times(bb, f), times(c, e))),
    over(b.op('Neg', [d])),
    over(a),
    over(difference(times(c, d), times(a, f))),
  ];
}

/** Where each pixel of a crop comes from along one axis: `of u + of v + start`, rounded as OpenCV does. */
function position(b: NodeBuilder, ofU: readonly string[], ofV: readonly string[], start: string): string {
  const rounded = (value: string) => b.op('Floor', [b.op('Add', [value, b.floats([0.5])])]);
  const inSteps = (value: string, steps: number) => b.op('Mul', [value, b.floats([steps])]);
  const column = rounded(inSteps(b.op('Mul', ofU), TERM_STEPS));
  const row = rounded(inSteps(b.op('Add', [b.op('Mul', ofV), start]), TERM_STEPS));
  const sum = b.op('Add', [column, row]);
  return inSteps(rounded(inSteps(sum, POSITION_STEPS / TERM_STEPS)), 1 / POSITION_STEPS);
}

/**
 * The two pixels next to a position along one axis, the first by its index, and their weights. Both are always inside the
 * frame, and a weight is what is left of 1 after the distance: so beside the frame it falls to 0, which is black.
 */
function taps(b: NodeBuilder, at: string, extent: string) {
  const last = b.op('Sub', [b.op('Cast', [extent], { to: ONNX_TYPE.float }), b.floats([2])]);
  const first = b.op('Max', [b.op('Min', [b.op('Floor', [at]), last]), b.floats([0])]);
  const toFirst = b.op('Sub', [at, first]);
  const toSecond = b.op('Sub', [toFirst, b.floats([1])]);
  const weight = (distance: string) => b.op('Relu', [b.op('Sub', [b.floats([1]), b.op('Abs', [distance])])]);
  return {
    first: b.op('Cast', [first], { to: ONNX_TYPE.int32 }),
    weights: [weight(toFirst), weight(toSecond)],
  } as const;
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
