import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Of a tensor, what is used here. */
export type Tensor = object;

/** Of TensorFlow.js, what is used here. Its own types are not there where the peers are not installed. */
export interface Tfjs {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  getBackend(): string;
  enableProdMode(): void;
  env(): { getAsync(flag: string): Promise<unknown> };
  tensor3d(data: Uint8Array, shape: readonly number[], type: 'int32'): Tensor;
  dispose(tensor: Tensor): void;
  readonly io: {
    registerLoadRouter(router: (url: string | string[]) => { load(): Promise<object> } | null): void;
    getWeightSpecs(manifest: readonly WeightGroup[]): unknown[];
    getModelArtifactsForJSON(
      model: object,
      loadWeights: (manifest: readonly WeightGroup[]) => Promise<[specs: unknown[], data: ArrayBuffer]>,
    ): Promise<object>;
  };
}

interface WeightGroup {
  readonly paths: readonly string[];
}

interface WasmBackend {
  setWasmPaths(folder: string): void;
  getThreadsCount(): number;
}

const SCHEME = 'file://';

const requirePeer = createRequire(import.meta.url);

/** Loads a file of the package `name` by its path beside the package's main file. Throws when peers are not installed. */
export function loadBeside<T>(name: string, file: string): T {
  return requirePeer(join(folderOf(name), file));
}

/** Folder of the main file of the package `name`, with a slash at its end. */
export function folderOf(name: string): string {
  try {
    return `${dirname(requirePeer.resolve(name))}/`;
  } catch (error) {
    throw new Error('the peers are not installed: npm ci --prefix bench/peers', { cause: error });
  }
}

/**
 * TensorFlow.js on its WebAssembly backend, the fastest in Node.js that needs no native download. It detects SIMD by
 * itself, and has no threads in Node.js: they are switched off there, and its threaded build does not start when they are
 * forced on (tensorflow/tfjs#3830).
 */
export async function startTfjsWasm(): Promise<{ tf: Tfjs; runsOn: string; wasmFolder: string }> {
  const wasmFolder = folderOf('@tensorflow/tfjs-backend-wasm');
  const tf: Tfjs = requirePeer('@tensorflow/tfjs');
  const wasm: WasmBackend = requirePeer('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(wasmFolder);
  await tf.setBackend('wasm');
  await tf.ready();
  if (tf.getBackend() !== 'wasm') throw new Error(`TensorFlow.js runs on ${tf.getBackend()}, not on wasm`);
  tf.enableProdMode();
  readModelsFromFiles(tf);
  const simd = (await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT')) === true;
  const threads = wasm.getThreadsCount();
  const runsOn = `tfjs-wasm ${tf.version_core}, ${simd ? 'SIMD' : 'no SIMD'}, ${threads} thread${threads === 1 ? '' : 's'}`;
  return { tf, runsOn, wasmFolder };
}

/** The picture as the tensor these libraries take. Whoever asks for it disposes of it. */
export function toTensor(tf: Tfjs, { width, height, rgb }: { width: number; height: number; rgb: Uint8Array }): Tensor {
  return tf.tensor3d(rgb, [height, width, 3], 'int32');
}

/** What tfjs-node does for `file://` addresses of models, and TensorFlow.js without it does not. */
function readModelsFromFiles({ io }: Tfjs): void {
  io.registerLoadRouter((url) => {
    if (typeof url !== 'string' || !url.startsWith(SCHEME)) return null;
    const file = fileURLToPath(url);
    return {
      async load() {
        return await io.getModelArtifactsForJSON(JSON.parse(await readFile(file, 'utf8')), async (manifest) => {
          const paths = manifest.flatMap((group) => group.paths);
          const bytes = Buffer.concat(await Promise.all(paths.map((path) => readFile(join(dirname(file), path)))));
          const data = new ArrayBuffer(bytes.length);
          new Uint8Array(data).set(bytes);
          return [io.getWeightSpecs(manifest), data];
        });
      },
    };
  });
}
