/**
 * Entry of the inference thread: opens models and runs them, so that a run, which blocks its thread from start to end,
 * blocks neither the event loop of the daemon nor what it does for the next batch.
 */
import { parentPort } from 'node:worker_threads';
import { EyelineError, messageOf } from '../core/errors.ts';
import type { Logger } from '../core/logger.ts';
import type { FromInference, ToInference } from './inference-protocol.ts';
import { openOnnxModel } from './onnxruntime-model.ts';
import type { BatchModel } from './vision-model.ts';

const models = new Map<number, BatchModel>();
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
      case 'run': {
        const { outputs, pixels, runMs } = await modelOf(message.model).runBatch(message.pixels, message.count);
        const moved = [pixels.buffer, ...Object.values(outputs).map(({ data }) => data.buffer as ArrayBuffer)];
        return send({ type: 'ran', call, outputs, pixels, runMs }, moved);
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

async function open({ call, entry, graph, providers, threads }: Extract<ToInference, { type: 'open' }>): Promise<void> {
  const files = { entry: () => entry, file: async () => graph };
  const model = await openOnnxModel(files, entry.id, { providers, threads, logger });
  const key = ++opened;
  models.set(key, model);
  const { id, fingerprint, provider, input, timings } = model;
  send({ type: 'opened', call, model: key, traits: { id, fingerprint, provider, input, timings } });
}

function modelOf(key: number): BatchModel {
  const model = models.get(key);
  if (!model) throw new Error(`model ${key} is closed`);
  return model;
}

function send(message: FromInference, moved: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, moved);
}
