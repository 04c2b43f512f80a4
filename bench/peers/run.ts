/** Runs Eyeline and its peers on the same decoded pictures and prints how fast and how right each is; see README.md. */
import { availableParallelism, cpus, loadavg } from 'node:os';
import { accuracyOf, centralFace } from './accuracy.ts';
import { type BenchOptions, readArguments, USAGE, UsageError } from './arguments.ts';
import { choosePictures, decodeRgb, type PictureChoice } from './pictures.ts';
import { type BuiltProgram, loadProgram } from './program.ts';
import { describe, type Measured, type Outcome, type Report, speedsOf } from './report.ts';
import type { RgbPicture } from './system.ts';
import { type RoundFigures, type SystemGroup, startSystem } from './system-process.ts';

/** Pictures decoded and handed over at once while accuracy is measured: what they take in memory is bounded. */
const HANDED_OVER = 64;

async function measure(options: BenchOptions, tell: (line: string) => void): Promise<Report> {
  const loadBefore = loadavg()[0] ?? 0;
  const program = await loadProgram();
  const choice = await choosePictures(options, program);
  const pictures: RgbPicture[] = [];
  for (const file of choice.timed) pictures.push(await decodeRgb(program, file));

  const ways = [...new Set([1, options.processes])];
  const groups: SystemGroup[] = [];
  try {
    for (const system of ['eyeline', ...options.peers] as const) {
      tell(`opening ${system}`);
      for (const processes of ways) groups.push(await startSystem(system, processes));
    }
    const lookedAt = [...new Set([...choice.pairs.flatMap(({ first, second }) => [first, second]), ...choice.timed])];
    const widest = groups.filter(({ processes }) => processes === Math.max(...ways));
    const systems = await findFaces(widest, lookedAt, choice, program, tell);
    const measured = await time(groups, pictures, options.rounds, tell);
    return {
      machine: {
        cpu: cpus()[0]?.model ?? 'unknown',
        cores: availableParallelism(),
        node: process.versions.node,
        load: [loadBefore, loadavg()[0] ?? 0],
      },
      pictures: {
        what: choice.what,
        seed: options.seed,
        timed: pictures.length,
        lookedAt: lookedAt.length,
        rounds: options.rounds,
      },
      systems,
      speed: speedsOf(measured, pictures.length),
    };
  } finally {
    for (const group of groups) group.stop();
  }
}

/** Lets every system look at all pictures once, and tells how right each is. */
async function findFaces(
  groups: readonly SystemGroup[],
  files: readonly string[],
  choice: PictureChoice,
  program: BuiltProgram,
  tell: (line: string) => void,
): Promise<Outcome[]> {
  const found = groups.map((group) => ({ group, embeddings: new Map<string, Float32Array | null>() }));
  for (let from = 0; from < files.length; from += HANDED_OVER) {
    tell(`accuracy: ${from} of ${files.length} pictures`);
    const part = files.slice(from, from + HANDED_OVER);
    const pictures = await Promise.all(part.map((file) => decodeRgb(program, file)));
    for (const { group, embeddings } of found) {
      const faces = await group.read(pictures);
      for (const [index, file] of part.entries()) {
        const central = centralFace(faces[index] ?? [], pictures[index] ?? { width: 0, height: 0 });
        embeddings.set(file, central?.embedding ?? null);
      }
    }
  }
  return found.map(({ group, embeddings }) => ({
    system: group.system,
    ...group.traits,
    withFace: [...embeddings.values()].filter((embedding) => embedding !== null).length,
    accuracy: accuracyOf(embeddings, choice),
  }));
}

/** Times the systems by turns, so that what disturbs the machine hits all alike. The first time through is not counted. */
async function time(
  groups: readonly SystemGroup[],
  pictures: readonly RgbPicture[],
  rounds: number,
  tell: (line: string) => void,
): Promise<Measured[]> {
  const figures = new Map<SystemGroup, RoundFigures[]>();
  for (const group of groups) {
    tell(`warm-up: ${group.system}, processes: ${group.processes}`);
    await group.keep(pictures);
    await group.run();
    figures.set(group, []);
  }
  for (let round = 0; round < rounds; round++) {
    tell(`round ${round + 1} of ${rounds}`);
    for (const group of groups) figures.get(group)?.push(await group.run());
  }
  return groups.map((group) => ({
    system: group.system,
    processes: group.processes,
    rounds: figures.get(group) ?? [],
  }));
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options) {
    const report = await measure(options, (line) => console.error(line));
    console.log(options.json ? JSON.stringify(report, null, 2) : describe(report));
  } else {
    console.log(USAGE);
  }
} catch (error) {
  console.error(`bench:peers: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
