import { normalNumbers, seededRandom } from '../core/seeded-random.ts';
import { node } from '../inference/graph/nodes.ts';
import {
  encodeModel,
  ONNX_TYPE,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValueInfo,
} from '../inference/graph/onnx-proto.ts';
import { sizeOf } from './graph/shapes.ts';

export interface ResnetOptions {
  /** Rows and columns of the input, RGB. */
  readonly input?: number;
  readonly embedding?: number;
  /** Blocks of each stage; ResNet50 by default. */
  readonly stages?: readonly number[];
  /** Channels of the stem, and of the narrow part of the first stage's blocks. */
  readonly width?: number;
  readonly seed: number;
}

const RESNET50 = [3, 4, 6, 3];
/** How much wider a block's result is than its narrow part. */
const EXPANSION = 4;
const OPSET = 15;

/**
 * A ResNet as an ONNX file that has learned nothing yet: bottleneck blocks, global average, one matrix to the embedding
 * (He et al., Deep Residual Learning for Image Recognition, CVPR 2016, table 1; strides in the first 1 x 1 of a block, as
 * there). Kernels are normal numbers of variance 2 / fan-in (He et al., Delving Deep into Rectifiers, ICCV 2015).
 *
 * FLOAT, n x 3 x input x input in, `embedding` out, n x embedding.
 */
export function resnet(options: ResnetOptions): Uint8Array {
  const { input = 160, embedding = 128, stages = RESNET50, width = 64, seed } = options;
  const b = builder(seed);
  let x = b.relu(b.normalised(b.convolution('input', { from: 3, to: width, kernel: 7, stride: 2 })));
  x = b.add(node('MaxPool', [x], b.name('pool'), { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }));
  let channels = width;
  for (const [stage, blocks] of stages.entries()) {
    for (let block = 0; block < blocks; block++) {
      const narrow = width * 2 ** stage;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = bottleneck(b, x, { from: channels, narrow, stride });
      channels = narrow * EXPANSION;
    }
  }
  const pooled = b.add(node('GlobalAveragePool', [x], b.name('average')));
  const flat = b.add(node('Flatten', [pooled], b.name('flat'), { axis: 1 }));
  const matrix = b.weight('head.weight', [embedding, channels], Math.sqrt(1 / channels));
  const bias = b.weight('head.bias', [embedding], 0);
  b.add(node('Gemm', [flat, matrix, bias], 'embedding', { transB: 1 }));
  return encodeModel({
    irVersion: 8,
    producerName: 'eyeline',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: 'resnet',
      node: b.nodes,
      initializer: b.weights,
      input: [value('input', [3, input, input])],
      output: [value('embedding', [embedding])],
      valueInfo: [],
    },
  });
}

function bottleneck(
  b: ReturnType<typeof builder>,
  x: string,
  { from, narrow, stride }: { readonly from: number; readonly narrow: number; readonly stride: number },
): string {
  const wide = narrow * EXPANSION;
  const first = b.relu(b.normalised(b.convolution(x, { from, to: narrow, kernel: 1, stride })));
  const second = b.relu(b.normalised(b.convolution(first, { from: narrow, to: narrow, kernel: 3, stride: 1 })));
  const third = b.normalised(b.convolution(second, { from: narrow, to: wide, kernel: 1, stride: 1 }));
  const shortcut =
    from === wide && stride === 1 ? x : b.normalised(b.convolution(x, { from, to: wide, kernel: 1, stride }));
  return b.relu(b.add(node('Add', [third, shortcut], b.name('sum'))));
}

function builder(seed: number) {
  const normal = normalNumbers(seededRandom(seed));
  const nodes: OnnxNode[] = [];
  const weights: OnnxTensor[] = [];
  const channelsOf = new Map<string, number>();
  let count = 0;
  const name = (kind: string) => `${kind}_${count++}`;
  const add = (it: OnnxNode): string => {
    nodes.push(it);
    return it.output[0] ?? '';
  };
  /** Normal numbers of this deviation around `centre`. */
  const weight = (weightName: string, dims: readonly number[], deviation: number, centre = 0): string => {
    const numbers = Float32Array.from(
      { length: sizeOf(dims) },
      () => centre + (deviation === 0 ? 0 : deviation * normal()),
    );
    weights.push({
      name: weightName,
      dims: [...dims],
      dataType: ONNX_TYPE.float,
      rawData: new Uint8Array(numbers.buffer),
    });
    return weightName;
  };
  return {
    nodes,
    weights,
    name,
    add,
    weight,
    relu: (x: string) => add(node('Relu', [x], name('relu'))),
    convolution: (
      x: string,
      at: { readonly from: number; readonly to: number; readonly kernel: number; readonly stride: number },
    ) => {
      const { from, to, kernel, stride } = at;
      const output = name('conv');
      const filters = weight(`${output}.weight`, [to, from, kernel, kernel], Math.sqrt(2 / (from * kernel * kernel)));
      const pad = (kernel - 1) / 2;
      channelsOf.set(output, to);
      return add(
        node('Conv', [x, filters], output, {
          kernel_shape: [kernel, kernel],
          strides: [stride, stride],
          pads: [pad, pad, pad, pad],
        }),
      );
    },
    normalised: (x: string) => {
      const channels = [channelsOf.get(x) ?? 1];
      const output = name('norm');
      const parts = [
        weight(`${output}.scale`, channels, 0, 1),
        weight(`${output}.bias`, channels, 0),
        weight(`${output}.mean`, channels, 0),
        weight(`${output}.variance`, channels, 0, 1),
      ];
      return add(node('BatchNormalization', [x, ...parts], output));
    },
  };
}

function value(name: string, shape: readonly number[]): OnnxValueInfo {
  const dim = [{ dimParam: 'n' }, ...shape.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: ONNX_TYPE.float, shape: { dim } } } };
}
