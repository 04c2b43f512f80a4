import type { Batch, BatchTensor, OpenSession, StepGraph, StepResult, TrainStep, Values } from './engine.ts';
import { sameShape, sizeOf, text } from './graph/shapes.ts';
import { bufferName, gradientName, LOSS, metricName, outputName } from './step-graph.ts';

/** Opens a step. Throws what `open` throws. */
export async function openTrainStep(graph: StepGraph, open: OpenSession): Promise<TrainStep> {
  const session = await open(graph.onnx, 'step');
  return {
    graph,
    run: async (batch, values) => {
      const outputs = await session.run([...batchInputs(graph, batch), ...valueInputs(graph, values)]);
      const tensor = (name: string) => {
        const found = outputs[name];
        if (!found) throw new Error(`the step gave no ${name}`);
        return found;
      };
      const data = (name: string) => tensor(name).data;
      const scalar = (name: string) => data(name)[0] ?? Number.NaN;
      const gradients = graph.hasGradients ? named(graph.parameters, (name) => data(gradientName(name))) : {};
      const result: StepResult = {
        loss: scalar(LOSS),
        metrics: Object.fromEntries(graph.metrics.map((name) => [name, scalar(metricName(name))])),
        outputs: Object.fromEntries(graph.outputs.map((name) => [name, tensor(outputName(name))])),
        gradients,
        buffers: graph.hasGradients ? named(graph.buffers, (name) => data(bufferName(name))) : {},
      };
      return result;
    },
    release: () => session.release(),
  };
}

function named(list: readonly { readonly name: string }[], of: (name: string) => Float32Array): Values {
  return Object.fromEntries(list.map(({ name }) => [name, of(name)]));
}

function batchInputs({ inputs }: StepGraph, batch: Batch): BatchTensor[] {
  return inputs.map(({ name, shape, type }) => {
    const tensor = batch[name];
    if (!tensor) throw new RangeError(`the batch has no ${name}`);
    if (tensor.type !== type || !sameShape(tensor.shape, shape) || tensor.data.length !== sizeOf(shape)) {
      throw new RangeError(`${name} of the batch is ${tensor.type} ${text(tensor.shape)}, not ${type} ${text(shape)}`);
    }
    return tensor;
  });
}

function valueInputs({ parameters, buffers }: StepGraph, values: Values): BatchTensor[] {
  return [...parameters, ...buffers].map(({ name, shape }) => {
    const data = values[name];
    if (data?.length !== sizeOf(shape)) throw new RangeError(`there are no ${text(shape)} values of ${name}`);
    return { type: 'float32', data, shape };
  });
}
