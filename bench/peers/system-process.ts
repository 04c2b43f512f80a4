import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FromSystem, RunFigures, ToSystem } from './protocol.ts';
import type { FoundFace, RgbPicture, SystemName, SystemTraits } from './system.ts';

const CHILD = fileURLToPath(new URL('system-child.ts', import.meta.url));

export interface RoundFigures extends RunFigures {
  /** From the start until the last process was done. */
  readonly wallMs: number;
}

/**
 * One system in processes of its own, so that none suffers from another's garbage collector, memory or threads.
 * Pictures are spread over the processes evenly.
 */
export class SystemGroup {
  readonly system: SystemName;
  readonly traits: SystemTraits;
  readonly #children: readonly ChildProcess[];

  constructor(system: SystemName, traits: SystemTraits, children: readonly ChildProcess[]) {
    this.system = system;
    this.traits = traits;
    this.#children = children;
  }

  get processes(): number {
    return this.#children.length;
  }

  /** The faces of each picture, in order. */
  async read(pictures: readonly RgbPicture[]): Promise<readonly (readonly FoundFace[])[]> {
    const parts = await this.#each((index) => ({ type: 'read', pictures: this.#share(pictures, index) }), 'read');
    return pictures.map((_, at) => parts[at % this.processes]?.faces[Math.floor(at / this.processes)] ?? []);
  }

  /** Hands over the pictures that `run` goes through. */
  async keep(pictures: readonly RgbPicture[]): Promise<void> {
    await this.#each((index) => ({ type: 'keep', pictures: this.#share(pictures, index) }), 'kept');
  }

  /** Goes through the pictures once. */
  async run(): Promise<RoundFigures> {
    const startedMs = performance.now();
    const parts = await this.#each(() => ({ type: 'run' }), 'ran');
    const wallMs = performance.now() - startedMs;
    const sum = (key: keyof RunFigures) => parts.reduce((total, part) => total + part[key], 0);
    return { wallMs, faces: sum('faces'), cpuMs: sum('cpuMs'), memoryMb: sum('memoryMb') };
  }

  /** Ends the processes. */
  stop(): void {
    for (const child of this.#children) child.disconnect();
  }

  #share(pictures: readonly RgbPicture[], index: number): RgbPicture[] {
    return pictures.filter((_, at) => at % this.processes === index);
  }

  async #each<T extends FromSystem['type']>(message: (index: number) => ToSystem, type: T) {
    return await Promise.all(this.#children.map((child, index) => ask(child, message(index), type)));
  }
}

/** Starts a system in `processes` processes. Throws when it cannot be opened. */
export async function startSystem(system: SystemName, processes: number): Promise<SystemGroup> {
  const open: ToSystem = { type: 'open', system, alone: processes === 1 };
  const children = Array.from({ length: processes }, () =>
    fork(CHILD, { execArgv: ['--import', import.meta.resolve('tsx')], serialization: 'advanced' }),
  );
  try {
    const [first] = await Promise.all(children.map((child) => ask(child, open, 'opened')));
    if (!first) throw new RangeError('a system needs a process');
    const { name, runsOn, settings } = first;
    return new SystemGroup(system, { name, runsOn, settings }, children);
  } catch (error) {
    for (const child of children) child.kill();
    throw new Error(`${system}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function ask<T extends FromSystem['type']>(child: ChildProcess, message: ToSystem, type: T) {
  return new Promise<Extract<FromSystem, { type: T }>>((resolve, reject) => {
    const settle = (act: () => void) => {
      child.off('message', answered).off('exit', ended).off('error', reject);
      act();
    };
    const ended = (status: number | null, signal: string | null) =>
      settle(() => reject(new Error(`its process ended with ${signal ?? status}`)));
    const answered = (answer: unknown) => {
      const told = answer as FromSystem;
      settle(() => {
        if (isOf(told, type)) resolve(told);
        else reject(new Error(told.type === 'failed' ? told.message : `unexpected answer ${told.type}`));
      });
    };
    child.on('message', answered).on('exit', ended).on('error', reject);
    child.send(message);
  });
}

function isOf<T extends FromSystem['type']>(message: FromSystem, type: T): message is Extract<FromSystem, { type: T }> {
  return message.type === type;
}
