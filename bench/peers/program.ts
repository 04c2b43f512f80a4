import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/schema.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Of the built program (dist/), what is measured and what decodes the pictures. */
export interface BuiltProgram {
  readonly version: string;
  readonly openFaceAnalyser: typeof import('../../src/wiring/open-faces.ts').openFaceAnalyser;
  readonly silentLogger: typeof import('../../src/core/logger.ts').silentLogger;
  readonly loadOpencv: typeof import('../../src/capture/opencv.ts').loadOpencv;
  readonly OpencvPicture: typeof import('../../src/capture/opencv-picture.ts').OpencvPicture;
  readonly decodePicture: typeof import('../../src/capture/opencv-picture.ts').decodePicture;
  readonly createModelStore: typeof import('../../src/inference/store.ts').createModelStore;
  /** The default configuration, models where `scripts/setup.sh` puts them or `EYELINE_MODELS_DIR` says. */
  config(): Promise<Config>;
}

/** Loads the program as it is shipped: compiled, not from its sources. Throws when it is not built. */
export async function loadProgram(): Promise<BuiltProgram> {
  if (!existsSync(join(ROOT, 'dist/app.js'))) throw new Error('dist/ is missing: npm run build');
  // The compiler cannot follow a name that is put together, and need not: dist/ has the types of src/.
  const load = (file: string) => import(new URL(`../../dist/${file}`, import.meta.url).href);
  const { openFaceAnalyser }: typeof import('../../src/wiring/open-faces.ts') = await load('wiring/open-faces.js');
  const { silentLogger }: typeof import('../../src/core/logger.ts') = await load('core/logger.js');
  const { loadOpencv }: typeof import('../../src/capture/opencv.ts') = await load('capture/opencv.js');
  const pictures: typeof import('../../src/capture/opencv-picture.ts') = await load('capture/opencv-picture.js');
  const { createModelStore }: typeof import('../../src/inference/store.ts') = await load('inference/store.js');
  const { parseConfig }: typeof import('../../src/config/load.ts') = await load('config/load.js');
  const { packageVersion }: typeof import('../../src/platform/version.ts') = await load('platform/version.js');
  const { OpencvPicture, decodePicture } = pictures;
  return {
    version: packageVersion(),
    openFaceAnalyser,
    silentLogger,
    loadOpencv,
    OpencvPicture,
    decodePicture,
    createModelStore,
    async config() {
      const { config } = parseConfig('', { source: 'built-in defaults', env: process.env });
      const { dir } = config.models;
      return { ...config, models: { ...config.models, dir: isAbsolute(dir) ? dir : join(ROOT, dir) } };
    },
  };
}
