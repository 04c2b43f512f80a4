import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * Starts a worker thread from the module `name` (without extension) beside the caller: compiled, or as source with the
 * loader that runs TypeScript, which Node 20 does not hand down to threads.
 *
 * @param from `import.meta.url` of the caller
 */
export function startWorker(name: string, from: string, options: WorkerOptions = {}): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`./${name}.js`, from), options);
  const entry = JSON.stringify(new URL(`./${name}.ts`, from).href);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const boot = `import(${loader}).then(({ register }) => { register(); return import(${entry}); })`;
  return new Worker(boot, { ...options, eval: true, execArgv: [] });
}
