import type { Config } from '../../config/schema.ts';
import type { Lesson } from '../../training/recipes/lesson.ts';

/** The configuration with models run on so many cores. */
export function withinCores(config: Config, cores: number): Config {
  return { ...config, inference: { ...config.inference, threads: cores } };
}

/** Threads that make batches beside the step, which itself takes all the cores: no more of them than that. */
export function sampleThreadsWithin({ sampleThreads }: Pick<Lesson, 'sampleThreads'>, cores: number): number {
  return Math.min(sampleThreads, cores);
}
