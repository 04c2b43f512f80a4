/**
 * How long a step of training takes: `node --import tsx scripts/measure-training.ts [--threads 2] [--steps 8]`.
 *
 * For each model and cut the step's shortest wall-clock time, the processor time it took, and the process's memory, with depthwise
 * convolutions in ONNX Runtime's blocked layout and without. Numbers are noise: the time does not depend on them.
 */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { silentLogger } from '../src/core/logger.ts';
import { openGraph } from '../src/inference/onnxruntime-model.ts';
import { createModelStore } from '../src/inference/store.ts';
import { probeBlock } from '../src/training/blocked-layout.ts';
import type { OpenSession, Shape, TrainableOptions } from '../src/training/engine.ts';
import { sizeOf } from '../src/training/graph/shapes.ts';
import { meanSquaredError } from '../src/training/losses/mean-squared-error.ts';
import { buildStepGraph } from '../src/training/step-graph.ts';
import { openTrainStep } from '../src/training/train-step.ts';
import { openTrainableGraph } from '../src/training/trainable-graph.ts';
import { createTrainer } from '../src/training/trainer.ts';

const CASES: readonly {
  readonly model: string;
  readonly input: Shape;
  readonly cut: TrainableOptions['cut'];
  readonly batch: number;
}[] = [
  { model: 'landmarks-68', input: [64, 64, 1], cut: null, batch: 64 },
  { model: 'mobilefacenet-512', input: [112, 112, 3], cut: 'Conv_78', batch: 64 },
  { model: 'mobilefacenet-512', input: [112, 112, 3], cut: 'Conv_37', batch: 64 },
  { model: 'mobilefacenet-512', input: [112, 112, 3], cut: 'Add_32', batch: 64 },
  { model: 'rfb-320', input: [240, 320, 3], cut: null, batch: 8 },
  { model: 'rfb-320', input: [240, 320, 3], cut: null, batch: 16 },
];

const { values: options } = parseArgs({
  options: { threads: { type: 'string', default: '2' }, steps: { type: 'string', default: '8' } },
});
const store = await createModelStore({ dir: 'data/models', extraManifest: null, logger: silentLogger });
await store.pull(store.modelIds);
const open: OpenSession = (onnx, name) =>
  openGraph(onnx, { providers: ['cpu'], threads: Number(options.threads), steady: true }, name);
const block = await probeBlock(open);
console.log(`blocks of ${block ?? 'none'}, ${options.threads} threads`);
console.log('| model | cut | batch | layout | wall ms | cpu ms | MB |');
for (const { model, input, cut, batch } of CASES) {
  const tail = openTrainableGraph(await readFile(await store.file(model)), { input, cut });
  for (const layout of block === null ? [null] : [null, block]) {
    const step = buildStepGraph(
      (graph) => {
        const outputs = tail.apply(
          graph,
          graph.input('x', [batch, ...tail.cut.shape], tail.cut.node === null ? tail.inputType : 'float32'),
        );
        const losses = Object.entries(outputs).map(([name, values]) =>
          meanSquaredError(graph, { values, targets: graph.input(`target:${name}`, graph.shapeOf(values)) }),
        );
        return { loss: losses.reduce((sum, loss) => graph.op('Add', [sum, loss])) };
      },
      { block: layout },
    );
    const opened = await openTrainStep(step, open);
    const trainer = createTrainer(opened, {
      optimiser: { kind: 'adamw' },
      schedule: { peak: 1e-4, steps: 100 },
      clipNorm: 1,
    });
    const tensors = step.inputs.map(({ name, shape, type }) => {
      const numbers = Array.from({ length: sizeOf(shape) }, (_, index) => (index * 7919) % 251);
      const tensor =
        type === 'uint8'
          ? ({ type, shape, data: Uint8Array.from(numbers) } as const)
          : ({ type: 'float32', shape, data: Float32Array.from(numbers, (value) => value / 125 - 1) } as const);
      return [name, tensor] as const;
    });
    let [wall, cpu] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let index = 0; index < Number(options.steps); index++) {
      const [started, used] = [performance.now(), process.cpuUsage()];
      await trainer.train(Object.fromEntries(tensors));
      const { user, system } = process.cpuUsage(used);
      wall = Math.min(wall, performance.now() - started);
      cpu = Math.min(cpu, (user + system) / 1000);
    }
    const memory = process.memoryUsage().rss / 1e6;
    await opened.release();
    const row = [
      model,
      cut ?? 'all',
      batch,
      layout === null ? 'plain' : `blocks of ${layout}`,
      wall.toFixed(0),
      cpu.toFixed(0),
      memory.toFixed(0),
    ];
    console.log(`| ${row.join(' | ')} |`);
  }
}
