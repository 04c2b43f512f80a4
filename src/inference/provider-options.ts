import { join } from 'node:path';
import type { Provider } from './providers.ts';

/** What the configuration says about running on a GPU. */
export interface ProviderSettings {
  /** Which GPU, counted from 0. */
  readonly device: number;
  /** Whether TensorRT may compute in half precision. */
  readonly fp16: boolean;
  /** Folder TensorRT keeps its engines in; null builds them anew each time. */
  readonly engineCache: string | null;
  /** Most memory TensorRT may use for a layer while it builds and runs an engine, MiB. */
  readonly tensorrtWorkspaceMb: number;
}

export const DEFAULT_SETTINGS: ProviderSettings = {
  device: 0,
  fp16: false,
  engineCache: null,
  tensorrtWorkspaceMb: 1024,
};

/** An entry of onnxruntime-node's `executionProviders`. */
export type ProviderEntry = 'cpu' | 'webgpu' | { readonly name: 'cuda' | 'tensorrt'; readonly deviceId: number };

/** One way to open a session. */
export interface ProviderAttempt {
  readonly provider: Provider;
  readonly entries: readonly ProviderEntry[];
  /** What is tried when this one does not work; undefined for the last. */
  readonly next: Provider | undefined;
}

/**
 * The ways to open a session, in the configured order. ONNX Runtime would go from one provider to the next by itself, but
 * for single nodes and without a word; so each is tried alone, but for TensorRT: nodes it cannot take go to CUDA where that
 * is configured after it, instead of to the CPU and back.
 *
 * The device is all that the binding of onnxruntime-node 1.30 takes for CUDA and TensorRT; it refuses an option it does
 * not know for WebGPU, and ignores all for the CPU.
 */
export function providerAttempts(
  providers: readonly Provider[],
  { device }: Pick<ProviderSettings, 'device'>,
): ProviderAttempt[] {
  const entryOf = (provider: Provider): ProviderEntry =>
    provider === 'cpu' || provider === 'webgpu' ? provider : { name: provider, deviceId: device };
  return providers.map((provider, index) => {
    const later = providers.slice(index + 1);
    const helper: Provider[] = provider === 'tensorrt' && later.includes('cuda') ? ['cuda'] : [];
    return { provider, entries: [provider, ...helper].map(entryOf), next: later[0] };
  });
}

/**
 * Environment variables for a session, read by the provider when the session is made, and so different for each model.
 * ONNX Runtime documents them for TensorRT; CUDA, WebGPU and the CPU have none that would set what its options set.
 *
 * They count only in a build of the binding that leaves them to TensorRT: the one from npm passes an options structure
 * that holds nothing but the device, and then TensorRT reads no variables (onnxruntime issues 18380 and 26854;
 * deploy/jetson/README.md says how to build one that does).
 *
 * @param engines folder for the engines of this very graph (`engineFolder`); null keeps none
 */
export function nativeEnvironment(
  provider: Provider,
  { fp16, tensorrtWorkspaceMb }: ProviderSettings,
  engines: string | null,
): Record<string, string> {
  if (provider !== 'tensorrt') return {};
  const cached = engines === null ? '0' : '1';
  return {
    ORT_TENSORRT_FP16_ENABLE: fp16 ? '1' : '0',
    ORT_TENSORRT_MAX_WORKSPACE_SIZE: String(tensorrtWorkspaceMb * 2 ** 20),
    ORT_TENSORRT_ENGINE_CACHE_ENABLE: cached,
    // How long each kernel took: spares most of the work when an engine is built again.
    ORT_TENSORRT_TIMING_CACHE_ENABLE: cached,
    ...(engines === null ? {} : { ORT_TENSORRT_CACHE_PATH: engines }),
  };
}

/**
 * Folder for the engines of one graph. Its name changes with all that makes an engine useless and that ONNX Runtime does
 * not look at: it tells engines apart by the graph's names and structure, not by its weights, which training changes. That
 * an engine fits TensorRT and the GPU, TensorRT checks itself.
 */
export function engineFolder(
  cache: string,
  graph: { readonly model: string; readonly sha256: string; readonly runtimeVersion: string; readonly fp16: boolean },
): string {
  const { model, sha256, runtimeVersion, fp16 } = graph;
  return join(cache, model, `${sha256.slice(0, 16)}-ort${runtimeVersion}-${fp16 ? 'fp16' : 'fp32'}`);
}
