import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sha256, sha256OfFile } from './files.ts';
import { engineFolder, type ProviderSettings } from './provider-options.ts';
import type { Provider } from './providers.ts';

/** Makes the folder for the engines of a graph (bytes, or the path of its file); null where none are kept. */
export async function makeEngineFolder(
  graph: string | Uint8Array,
  about: { readonly model: string; readonly provider: Provider; readonly runtimeVersion: string },
  { engineCache, fp16 }: ProviderSettings,
): Promise<string | null> {
  const { model, provider, runtimeVersion } = about;
  if (provider !== 'tensorrt' || engineCache === null) return null;
  const hash = typeof graph === 'string' ? await sha256OfFile(graph) : sha256(graph);
  if (hash === null) return null;
  // TensorRT's provider makes one folder, not those above it.
  const folder = resolve(engineFolder(engineCache, { model, sha256: hash, runtimeVersion, fp16 }));
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Whether TensorRT has put an engine into its folder. */
export async function holdsEngine(folder: string): Promise<boolean> {
  return (await readdir(folder)).some((name) => name.endsWith('.engine'));
}
