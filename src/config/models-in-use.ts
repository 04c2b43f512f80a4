import type { Config } from './schema.ts';

/** Ids of the models that a configuration takes, in the order a face meets them. */
export function modelsInUse({ detector, landmarks, maskState, encoder, upperEncoder }: Config['models']): string[] {
  return [detector, landmarks, maskState, encoder, upperEncoder].filter((id) => id !== null);
}
