import type { OnnxNode } from '../../inference/graph/onnx-proto.ts';

/** A weight a node holds, by the place of its input. */
export interface NodeWeight {
  readonly name: string;
  /** A kernel or matrix; else a bias, slope or scale, which weight decay leaves alone. */
  readonly kernel: boolean;
}

const PLACES: Readonly<Record<string, { readonly kernel: readonly number[]; readonly other: readonly number[] }>> = {
  Conv: { kernel: [1], other: [2] },
  Gemm: { kernel: [0, 1], other: [2] },
  MatMul: { kernel: [0, 1], other: [] },
  PRelu: { kernel: [], other: [1] },
  BatchNormalization: { kernel: [], other: [1, 2] },
};

/**
 * What of a node's inputs trains when it is an initialiser. Constants of sums and products (anchors of a detector, factors)
 * do not, but for a bias that is added to a matrix product.
 *
 * @param products outputs of the MatMul nodes
 */
export function weightsOfNode(
  { opType, input }: OnnxNode,
  isInitialiser: (name: string) => boolean,
  products: ReadonlySet<string>,
): readonly NodeWeight[] {
  const places = PLACES[opType];
  if (places) {
    const all = [
      ...places.kernel.map((at) => ({ at, kernel: true })),
      ...places.other.map((at) => ({ at, kernel: false })),
    ];
    return all.flatMap(({ at, kernel }) => {
      const name = input[at];
      return name && isInitialiser(name) ? [{ name, kernel }] : [];
    });
  }
  if (opType !== 'Add' || !input.some((name) => products.has(name))) return [];
  return input.filter(isInitialiser).map((name) => ({ name, kernel: false }));
}
