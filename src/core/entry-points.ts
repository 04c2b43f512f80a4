import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';

/**
 * URL of the module `name` (without extension) beside the caller, compiled or source as the caller is.
 *
 * @param from `import.meta.url` of the caller
 */
export function entryBeside(name: string, from: string): URL {
  return new URL(`./${name}${extname(from)}`, from);
}

/** Arguments Node needs to run an entry in a process of its own: the loader that runs TypeScript when it is source. */
export function loaderArguments(entry: URL): string[] {
  if (!entry.pathname.endsWith('.ts')) return [];
  return ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href];
}

/** Starts an entry in a thread. Node 20 does not hand its loader down to threads: source is given one. */
export function startWorker(entry: URL, options: WorkerOptions = {}): Worker {
  if (!entry.pathname.endsWith('.ts')) return new Worker(entry, options);
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  // Text that is run has a global __dirname of '.', by which usearch looks for its binary, without an end.
  const boot = `delete globalThis.__dirname; import(${loader}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); })`;
  return new Worker(boot, { ...options, eval: true, execArgv: [] });
}
