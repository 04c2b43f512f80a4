import type { Config } from '../../config/schema.ts';
import { systemClock } from '../../core/clock.ts';
import type { Logger } from '../../core/logger.ts';
import { quantile, rounded } from '../../core/statistics.ts';
import { ModelBatcher } from '../../inference/model-batcher.ts';
import { type BatchModel, pictureBytes } from '../../inference/vision-model.ts';
import { openFaceAnalyser } from '../../wiring/open-faces.ts';
import { rawMsOf } from './run-log.ts';

/** One model and batch size. */
export interface StageTiming {
  readonly model: string;
  readonly provider: string;
  readonly pictures: number;
  /** In the runtime, nothing else going on; median. */
  readonly rawMs: number;
  /** As a camera's pipeline has it: through the batcher and the thread and back; median. */
  readonly stageMs: number;
  readonly rawOverStage: number;
}

const ROUNDS = 60;

/** Times each configured model bare and as it is used, for the batches it was tried with. */
export async function benchStages(config: Config, logger: Logger): Promise<StageTiming[]> {
  const models: BatchModel[] = [];
  const chain = await openFaceAnalyser(config, logger, { onOpen: (model) => models.push(model) });
  try {
    const timings: StageTiming[] = [];
    for (const model of models) {
      for (const { pictures } of model.timings) {
        const stageMs = await stageMsOf(model, pictures);
        const rawMs = await rawMsOf(model, pictures, ROUNDS);
        timings.push({
          model: model.id,
          provider: model.provider,
          pictures,
          rawMs: rounded(rawMs, 3),
          stageMs: rounded(stageMs, 3),
          rawOverStage: rounded(rawMs / stageMs, 3),
        });
      }
    }
    return timings;
  } finally {
    await chain.close();
  }
}

async function stageMsOf(model: BatchModel, pictures: number): Promise<number> {
  const batcher = new ModelBatcher(model, systemClock, { policy: { maxBatch: pictures, maxWaitMs: 0 } });
  const lane = batcher.lane('bench');
  const batch = Array.from({ length: pictures }, (_, picture) =>
    Uint8Array.from({ length: pictureBytes(model) }, (_byte, index) => ((index + picture) * 2_654_435_761) >>> 24),
  );
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await lane.run(batch);
    times.push(performance.now() - started);
  }
  return quantile(times, 0.5) ?? 0;
}
