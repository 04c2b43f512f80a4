import type { Config } from './schema.ts';

/**
 * Ids of the models that a configuration takes, in the order a face meets them.
 *
 * @param stagesOf ids of the networks that a model needs beside itself (`stages` of its manifest entry)
 */
export function modelsInUse(
  { detector, secondDetector, landmarks, maskState, encoder, upperEncoder }: Config['models'],
  stagesOf: (id: string) => readonly string[] = () => [],
): string[] {
  const named = [detector, secondDetector, landmarks, maskState, encoder, upperEncoder].filter((id) => id !== null);
  return [...new Set(named.flatMap((id) => [id, ...stagesOf(id)]))];
}
