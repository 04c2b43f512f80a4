/**
 * Entry of the inference thread: opens models and runs them, so that a run, which blocks its thread from start to end,
 * blocks neither the event loop of the daemon nor what it does for the next batch.
 */
import { parentPort } from 'node:worker_threads';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import { openAligningModel } from './aligning-model.ts';
import type { FromInference, ToInference } from './inference-protocol.ts';
import { openOnnxModel } from './onnxruntime-model.ts';
import type { AligningModel, BatchModel, Outputs } from './vision-model.ts';

type Opening = Extract<ToInference, { entry: unknown }>;

const models = new Map<number, BatchModel | AligningModel>();
let opened = 0;

const say = (level: keyof Logger) => (fields: object, message: string) => send({ type: 'log', level, fields, message });
const logger: Logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') };

parentPort?.on('message', (message: ToInference) => void answer(message));

async function answer(message: ToInference): Promise<void> {
  const { call } = message;
  try {
    switch (message.type) {
      case 'open':
        return await open(message);
      case 'openAligning':
        return await openAligning(message);
      case 'run': {
        const { outputs, pixels, runMs } = await batchModel(message.model).runBatch(message.pixels, message.count);
        return send({ type: 'ran', call, outputs, pixels, runMs }, [pixels.buffer, ...buffersOf(outputs)]);
      }
      case 'align': {
        const { pixels, length, size, alignments } = message;
        const bgr = pixels.subarray(0, length);
        const { outputs, runMs } = await aligningModel(message.model).runAligned({ ...size, bgr }, alignments);
        return send({ type: 'ran', call, outputs, pixels, runMs }, [pixels.buffer, ...buffersOf(outputs)]);
      }
      case 'close':
        await models.get(message.model)?.close();
        models.delete(message.model);
        return send({ type: 'closed', call });
    }
  } catch (error) {
    const code = error instanceof EyelineError ? error.code : null;
    send({ type: 'failed', call, code, message: messageOf(error) });
  }
}

async function open({ call, entry, graph, options }: Opening): Promise<void> {
  const files = { entry: () => entry, file: async () => graph };
  const model = await openOnnxModel(files, entry.id, { ...options, logger });
  const { id, fingerprint, provider, input, timings } = model;
  send({ type: 'opened', call, model: keep(model), traits: { id, fingerprint, provider, input, timings } });
}

async function openAligning({ call, entry, graph, options }: Opening): Promise<void> {
  const files = { entry: () => entry, file: async () => graph };
  const model = await openAligningModel(files, entry.id, options);
  const { id, fingerprint, provider, input } = model;
  send({ type: 'openedAligning', call, model: keep(model), traits: { id, fingerprint, provider, input } });
}

function keep(model: BatchModel | AligningModel): number {
  models.set(++opened, model);
  return opened;
}

function batchModel(key: number): BatchModel {
  const model = models.get(key);
  if (!model || !('runBatch' in model)) throw new Error(`model ${key} is closed`);
  return model;
}

function aligningModel(key: number): AligningModel {
  const model = models.get(key);
  if (!model || !('runAligned' in model)) throw new Error(`model ${key} is closed`);
  return model;
}

function buffersOf(outputs: Outputs): ArrayBuffer[] {
  return Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer);
}

function send(message: FromInference, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}
