import type { Config } from '../config/schema.ts';

/** The models with those left out that tell of a face more than where it is: for work that needs its landmarks alone. */
export function placingModels(models: Config['models']): Config['models'] {
  return { ...models, maskState: null, upperEncoder: null };
}
