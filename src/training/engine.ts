/**
 * What training is made of, from an ONNX file to an ONNX file:
 *
 * 1. `openTrainableGraph` (trainable-graph.ts) cuts a model in a frozen part and a tail whose weights train.
 * 2. `buildStepGraph` (step-graph.ts) puts tail and loss together and derives the backward pass: one ONNX file whose inputs
 *    are a batch and every weight, whose outputs are the loss, metrics and every gradient.
 * 3. `openTrainStep` (train-step.ts) opens it in ONNX Runtime; `createTrainer` (trainer.ts) feeds it and moves the weights.
 * 4. `writeWeights` (write-weights.ts) puts what was learned into the model's own file.
 */

/** Sizes of a tensor; the batch, where there is one, comes first. All are known when a step is built. */
export type Shape = readonly number[];

export type TensorType = 'float32' | 'uint8' | 'int64';

/** Numbers by the name of the parameter (or running statistic) they belong to, rows first. */
export type Values = Readonly<Record<string, Float32Array>>;

/** Something that is trained. */
export interface Parameter {
  /** The initialiser's name in the model's file, or a name of the loss's own. */
  readonly name: string;
  readonly shape: Shape;
  readonly initial: Float32Array;
  /** Whether weight decay applies: kernels and matrices, not biases, slopes and scales. */
  readonly decays: boolean;
}

/** What a batch is made of, by input name of the step. */
export type BatchTensor =
  | { readonly type: 'float32'; readonly data: Float32Array; readonly shape: Shape }
  | { readonly type: 'uint8'; readonly data: Uint8Array; readonly shape: Shape }
  | { readonly type: 'int64'; readonly data: BigInt64Array; readonly shape: Shape };

export type Batch = Readonly<Record<string, BatchTensor>>;

/**
 * A graph while it is built: standard ONNX operators (operator set 18), each tensor with its shape. A loss is a function
 * that adds nodes to one and gives the name of a scalar.
 */
export interface TensorGraph {
  /** A tensor that comes with each batch. */
  input(name: string, shape: Shape, type?: TensorType): string;
  /** A tensor that is trained. The same name again is the same tensor: branches share weights that way. */
  parameter(parameter: Parameter): string;
  /**
   * Numbers a step computes anew without a gradient (running statistics of BatchNormalization). `updated` is the tensor
   * that holds them after the step.
   */
  buffer(parameter: Parameter): string;
  updateBuffer(name: string, updated: string): void;
  /**
   * Adds a node, gives the name of its (first) output. An empty input name leaves an optional input out.
   *
   * Throws GRAPH_UNTRAINABLE when the operator or the way it is used is not known here.
   */
  op(opType: string, inputs: readonly string[], attributes?: Attributes, name?: string): string;
  /** Constants; without a shape a list is a vector. Pass `[]` as the shape of a scalar. */
  floats(values: ArrayLike<number>, shape?: Shape): string;
  int64s(values: readonly number[], shape?: Shape): string;
  shapeOf(name: string): Shape;
}

export type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

/** Where a model may be cut: every path from its input to its outputs goes through this tensor. */
export interface CutPoint {
  readonly tensor: string;
  /** Name of the node that computes it; null for the model's input. */
  readonly node: string | null;
  /** Of one picture, without the batch. */
  readonly shape: Shape;
  /** Numbers that train when the model is cut here, and layers with kernels or matrices among them. */
  readonly weights: number;
  readonly layers: number;
}

export interface TrainableOptions {
  /** Shape of one picture at the model's input, as the model takes it: [3, 112, 112], or [112, 112, 3] for a prepared one. */
  readonly input: Shape;
  /** A tensor or node name, the number of last layers that train, or null: all of it trains. */
  readonly cut: string | { readonly layers: number } | null;
  /**
   * `frozen` (default): BatchNormalization keeps its running mean and variance, scale and bias train.
   * `batch`: normalises by the batch's own statistics and updates the running ones, as from scratch.
   */
  readonly batchNormalization?: 'frozen' | 'batch';
  /** Whether a weight trains, by its name; all do by default. */
  readonly trains?: (name: string) => boolean;
}

/** A model, cut in two. */
export interface TrainableGraph {
  /** An ONNX file from the model's input (any batch) to the cut; null when everything trains. */
  readonly frozenOnnx: Uint8Array | null;
  /** Where the tail begins; the model's input when everything trains. */
  readonly cut: CutPoint;
  readonly inputType: TensorType;
  /** Name and shape, without the batch, of what the model gives. */
  readonly outputs: readonly { readonly name: string; readonly shape: Shape }[];
  readonly parameters: readonly Parameter[];
  /** Running statistics; empty unless `batchNormalization` is `batch`. */
  readonly buffers: readonly Parameter[];
  /**
   * Adds the tail to a graph, on a tensor batch x cut.shape, and gives the model's outputs by name. Several branches: put
   * them in one batch (Concat, then Slice what comes out), or apply it again: the weights are the same.
   *
   * @param options `evaluates`: as the trained model will compute it, by the running statistics where there are any
   */
  apply(
    graph: TensorGraph,
    activations: string,
    options?: { readonly evaluates?: boolean },
  ): Readonly<Record<string, string>>;
}

/** What a step computes, by tensor names of its graph. */
export interface StepParts {
  /** A scalar (shape [] or [1]); its gradients are taken. */
  readonly loss: string;
  /** Scalars to look at. */
  readonly metrics?: Readonly<Record<string, string>>;
  /** Other tensors that are wanted, embeddings for instance. */
  readonly outputs?: Readonly<Record<string, string>>;
}

export interface StepGraph {
  readonly onnx: Uint8Array;
  readonly inputs: readonly { readonly name: string; readonly shape: Shape; readonly type: TensorType }[];
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Parameter[];
  readonly metrics: readonly string[];
  readonly outputs: readonly string[];
  /** False for a graph that only evaluates. */
  readonly hasGradients: boolean;
}

export interface StepResult {
  readonly loss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly outputs: Readonly<Record<string, { readonly data: Float32Array; readonly shape: Shape }>>;
  /** By parameter; empty when the graph only evaluates. */
  readonly gradients: Values;
  /** Running statistics after the step. */
  readonly buffers: Values;
}

/** A step graph, open in ONNX Runtime. Runs block the thread they are called in, as ONNX Runtime for Node.js does. */
export interface TrainStep {
  readonly graph: StepGraph;
  /** @param values of every parameter and buffer; they are read, not changed */
  run(batch: Batch, values: Values): Promise<StepResult>;
  release(): Promise<void>;
}

/** Opens an ONNX file: `openGraph` of the ONNX Runtime adapter, with providers and threads bound by who wires it. */
export type OpenSession = (onnx: Uint8Array, name: string) => Promise<StepSession>;

export interface StepSession {
  /** One tensor an input, in the graph's order. Gives FLOAT outputs by name. */
  run(
    inputs: readonly BatchTensor[],
  ): Promise<Readonly<Record<string, { readonly data: Float32Array; readonly shape: Shape }>>>;
  release(): Promise<void>;
}

export type OptimiserSettings =
  | {
      /** Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019. */
      readonly kind: 'adamw';
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
      readonly weightDecay?: number;
    }
  | { readonly kind: 'sgd'; readonly momentum?: number; readonly nesterov?: boolean; readonly weightDecay?: number };

/** Learning rate by step: a line from 0 up to `peak` over `warmUpSteps`, then half a cosine down to `final` at `steps`. */
export interface Schedule {
  readonly peak: number;
  readonly final?: number;
  readonly warmUpSteps?: number;
  readonly steps: number;
}

export interface TrainerSettings {
  readonly optimiser: OptimiserSettings;
  readonly schedule: Schedule;
  /** Gradients longer than this together (L2 norm over all parameters) are scaled down to it; null: never. */
  readonly clipNorm?: number | null;
  /** Learning rate of a parameter as a multiple of the schedule's; 1 by default. */
  readonly rateOf?: (name: string) => number;
}

export interface TrainedStep extends Omit<StepResult, 'gradients' | 'buffers'> {
  /** Steps done, this one included. */
  readonly step: number;
  readonly learningRate: number;
  /** L2 norm of all gradients together, before clipping. */
  readonly gradientNorm: number;
}

/** Moves weights by the gradients of one step graph after the other batch. */
export interface Trainer {
  /** As they are now: parameters and running statistics. */
  readonly values: Values;
  /** Steps done. */
  readonly step: number;
  /**
   * One step. Throws TRAINING_DIVERGED, before any weight is touched, when the loss or a gradient is not a finite number.
   */
  train(batch: Batch): Promise<TrainedStep>;
  /**
   * Weights, optimiser state and step count, exact: a trainer that restores them goes on bit for bit (a safetensors file, in
   * pieces). They are those in use, not copies: to be written before the next step.
   */
  save(): readonly Uint8Array[];
  /** Throws CHECKPOINT_UNREADABLE when the bytes are no checkpoint or one of other parameters. */
  restore(checkpoint: Uint8Array): void;
}
