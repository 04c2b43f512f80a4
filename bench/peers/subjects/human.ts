import { pathToFileURL } from 'node:url';
import { type FaceSystem, MAX_FACES } from '../system.ts';
import { folderOf, loadBeside, startTfjsWasm, type Tensor, type Tfjs, toTensor } from './tfjs-wasm.ts';

/** Of @vladmandic/human, what is used here. */
interface Human {
  readonly version: string;
  readonly tf: Tfjs;
  load(): Promise<void>;
  detect(input: Tensor): Promise<{
    readonly error: string | null;
    readonly face: readonly {
      readonly box: readonly [x: number, y: number, width: number, height: number];
      readonly embedding?: readonly number[];
    }[];
  }>;
}

const OFF = { enabled: false };
/** Every picture is looked at anew. */
const NO_SKIPPING = { skipFrames: 0, skipTime: 0 };

/**
 * @vladmandic/human with what a description of faces needs and nothing else.
 *
 * @param mesh as its documentation "highly recommends" for this job: the 468-point mesh, which also tells what is no
 *   face, and turning faces upright. Without, the description is made from the detector's box alone.
 */
export async function openHuman(mesh: boolean): Promise<FaceSystem> {
  const { runsOn, wasmFolder } = await startTfjsWasm();
  const main = folderOf('@vladmandic/human');
  const { Human: Library } = loadBeside<{ Human: new (config: object) => Human }>(
    '@vladmandic/human',
    'human.node-wasm.js',
  );
  const human = new Library({
    backend: 'wasm',
    wasmPath: wasmFolder,
    modelBasePath: new URL('../models/', pathToFileURL(main)).href,
    debug: false,
    cacheSensitivity: 0,
    filter: OFF,
    face: {
      enabled: true,
      detector: { rotation: mesh, maxDetected: MAX_FACES, ...NO_SKIPPING },
      mesh: { enabled: mesh },
      description: { enabled: true, ...NO_SKIPPING },
      iris: OFF,
      emotion: OFF,
      antispoof: OFF,
      liveness: OFF,
      attention: OFF,
    },
    body: OFF,
    hand: OFF,
    object: OFF,
    gesture: OFF,
    segmentation: OFF,
  });
  await human.load();
  return {
    name: `@vladmandic/human ${human.version}`,
    runsOn,
    inHand: 1,
    settings: mesh ? 'blazeface, rotation, facemesh, faceres' : 'blazeface, faceres; no rotation, no mesh',
    async read(picture) {
      const tensor = toTensor(human.tf, picture);
      const { face, error } = await human.detect(tensor);
      human.tf.dispose(tensor);
      if (error) throw new Error(`human: ${error}`);
      return face.map(({ box: [x, y, width, height], embedding }) => {
        if (!embedding) throw new Error('human: a face without an embedding');
        return { box: { x, y, width, height }, embedding: Float32Array.from(embedding) };
      });
    },
  };
}
