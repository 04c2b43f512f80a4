import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink, watch, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Resolves when a run has written a checkpoint. */
export async function firstCheckpoint(run: string): Promise<void> {
  const wanted = join(run, 'checkpoints');
  for (;;) {
    if (existsSync(wanted) && (await readdir(wanted)).some((name) => /^\d+$/.test(name))) return;
    let parent = wanted;
    while (!existsSync(parent)) parent = dirname(parent);
    const stop = AbortSignal.timeout(500);
    try {
      for await (const _ of watch(parent, { signal: stop })) break;
    } catch (error) {
      // The folder may have come between the look and the watch.
      if (!stop.aborted) throw error;
    }
  }
}

/** Resolves when a run that has checkpoints writes another. */
export async function nextCheckpoint(run: string): Promise<void> {
  for await (const { filename } of watch(join(run, 'checkpoints'))) if (/^\d+$/.test(filename ?? '')) return;
}

/** Step of a run's last checkpoint. */
export async function lastCheckpoint(run: string): Promise<number> {
  const names = (await readdir(join(run, 'checkpoints'))).filter((name) => /^\d+$/.test(name));
  return Number(names.sort().at(-1));
}

/** All that a run says of how it went, without the time it took. */
export async function outcomeOf(run: string) {
  const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  const checkpoints = (await readdir(join(run, 'checkpoints'))).sort();
  const last = join(run, 'checkpoints', checkpoints.at(-1) ?? '');
  return {
    model: await readFile(join(run, 'model.onnx')),
    metrics: lines.map((line) => ({ ...JSON.parse(line), ms: 0 })),
    validations: await readFile(join(run, 'validation.jsonl'), 'utf8'),
    weights: await readFile(join(last, 'trainer.safetensors')),
    average: await readFile(join(last, 'average.f32')),
  };
}

/** Installs the built program in a folder with other recipes than it comes with; gives its main file. */
export async function installWithRecipes(folder: string, recipes: Readonly<Record<string, object>>): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const copied of ['dist', 'config', 'package.json']) {
    await cp(join(ROOT, copied), join(folder, copied), { recursive: true });
  }
  for (const shared of ['node_modules', 'models', 'native']) await symlink(join(ROOT, shared), join(folder, shared));
  for (const [name, settings] of Object.entries(recipes)) {
    await writeFile(join(folder, 'config/training', `${name}.yaml`), JSON.stringify(settings));
  }
  return join(folder, 'dist/main.js');
}
