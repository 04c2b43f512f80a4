import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/schema.ts';
import { configSchema } from '../../src/config/schema.ts';

/** Where `scripts/setup.sh` puts the models. */
export const MODELS_DIR = fileURLToPath(new URL('../../data/models', import.meta.url));

/** The defaults, with the models that are already there. */
export async function testConfig(inference: Partial<Config['inference']> = {}): Promise<Config> {
  return configSchema.parse({ models: { dir: MODELS_DIR }, inference });
}
