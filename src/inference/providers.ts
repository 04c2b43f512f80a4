import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { entryBeside, loaderArguments } from '../core/entry-points.ts';

/** Execution providers of ONNX Runtime that the product knows. */
export type Provider = 'tensorrt' | 'cuda' | 'webgpu' | 'cpu';

export const PROVIDERS: readonly Provider[] = ['tensorrt', 'cuda', 'webgpu', 'cpu'];

export interface ProbeResult {
  readonly provider: Provider;
  readonly works: boolean;
  /** Why not, in one line; null when it works. */
  readonly reason: string | null;
  /** How long loading the runtime and a first run took. */
  readonly elapsedMs: number;
}

export type ProbeProvider = (provider: Provider, device?: number) => Promise<ProbeResult>;

/** Loading a GPU's libraries takes seconds on a Jetson; a driver that hangs must not hang the daemon. */
const PROBE_TIMEOUT_MS = 60_000;
const MAX_SAID = 16_384;
const CHILD = entryBeside('provider-child', import.meta.url);

/**
 * Runs a one-node graph on `provider`, on the GPU `device`, in a process of its own: a driver that crashes takes that
 * process down, not this one. Never rejects.
 */
export function probeProvider(provider: Provider, device = 0): Promise<ProbeResult> {
  const started = performance.now();
  const execArgv = loaderArguments(CHILD);
  return new Promise((resolve) => {
    let said = '';
    const end = (reason: string | null) => {
      clearTimeout(timer);
      const works = reason === null;
      const elapsedMs = Math.round(performance.now() - started);
      resolve({ provider, works, reason: works ? null : explain(reason, said), elapsedMs });
    };
    const child = fork(fileURLToPath(CHILD), [provider, String(device)], {
      execArgv,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      end(`did not answer within ${PROBE_TIMEOUT_MS / 1000} s`);
    }, PROBE_TIMEOUT_MS);
    let answer: string | null | undefined;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < MAX_SAID) said += text;
    });
    child.once('error', (error) => end(error.message));
    child.once('message', (reason) => {
      answer = typeof reason === 'string' ? reason : null;
      if (answer !== null) return;
      // It works: a driver that hangs on its way out does not matter.
      end(null);
      child.kill('SIGKILL');
    });
    // `close`, not `exit`: by then all it said has arrived.
    child.once('close', (code, signal) => {
      if (answer !== undefined) end(answer);
      else end(signal ? `crashed (${signal})` : `ended with status ${code}`);
    });
  });
}

/** One line; the native library tells which file it lacks only on standard error. */
function explain(reason: string, said: string): string {
  const [, lacking] = /with error: ([^\n]+)/.exec(said) ?? [];
  return [reason, lacking].filter(Boolean).join(': ').replaceAll(/\s+/g, ' ').trim();
}
