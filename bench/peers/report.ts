import type { Accuracy } from './accuracy.ts';
import type { SystemName, SystemTraits } from './system.ts';
import type { RoundFigures } from './system-process.ts';

/** One system in one way of running it, round by round. */
export interface Measured {
  readonly system: SystemName;
  readonly processes: number;
  readonly rounds: readonly RoundFigures[];
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Speed {
  readonly system: SystemName;
  readonly processes: number;
  readonly picturesPerSecond: Spread;
  readonly msPerPicture: number;
  /** Processor time of all threads. */
  readonly cpuMsPerPicture: number;
  /** Faces found, and embedded, in the pictures timed. */
  readonly faces: number;
  readonly memoryMb: number;
  /** How many times Eyeline's throughput is this one's, run the same way, round against round. */
  readonly eyelineTimes: Spread | null;
}

export interface Outcome extends SystemTraits {
  readonly system: SystemName;
  /** Pictures a face was found in, of those looked at for accuracy. */
  readonly withFace: number;
  readonly accuracy: Accuracy | null;
}

export interface Report {
  readonly machine: {
    readonly cpu: string;
    readonly cores: number;
    readonly node: string;
    /** Of the last minute, before and after: much more than the bench itself makes the figures doubtful. */
    readonly load: readonly [before: number, after: number];
  };
  readonly pictures: {
    readonly what: string;
    readonly seed: number;
    readonly timed: number;
    readonly lookedAt: number;
    readonly rounds: number;
  };
  readonly systems: readonly Outcome[];
  readonly speed: readonly Speed[];
}

/** Middle of the values (mean of the middle two), least and greatest. Throws RangeError without values. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  const [min, max] = [sorted[0], sorted.at(-1)];
  if (low === undefined || high === undefined || min === undefined || max === undefined) {
    throw new RangeError('there is no median of nothing');
  }
  return { median: (low + high) / 2, min, max };
}

/** Speeds over the rounds; those of a round were measured one after the other, so they are compared with each other. */
export function speedsOf(measured: readonly Measured[], pictures: number): Speed[] {
  return measured.map(({ system, processes, rounds }) => {
    const eyeline = measured.find((it) => it.system === 'eyeline' && it.processes === processes);
    const ratios = rounds.flatMap(({ wallMs }, round) => {
      const own = eyeline?.rounds[round];
      return own ? [wallMs / own.wallMs] : [];
    });
    return {
      system,
      processes,
      picturesPerSecond: spreadOf(rounds.map(({ wallMs }) => (pictures * 1000) / wallMs)),
      msPerPicture: spreadOf(rounds.map(({ wallMs }) => wallMs / pictures)).median,
      cpuMsPerPicture: spreadOf(rounds.map(({ cpuMs }) => cpuMs / pictures)).median,
      faces: spreadOf(rounds.map(({ faces }) => faces)).median,
      memoryMb: Math.max(...rounds.map(({ memoryMb }) => memoryMb)),
      eyelineTimes: system !== 'eyeline' && ratios.length > 0 ? spreadOf(ratios) : null,
    };
  });
}

/** The report as text for a terminal. */
export function describe({ machine, pictures, systems, speed }: Report): string {
  const { cpu, cores, node, load } = machine;
  return [
    `${cores} cores of ${cpu}, Node.js ${node}, load ${load.map((it) => it.toFixed(1)).join(' before, ')} after`,
    `${pictures.timed} pictures timed (${pictures.what}, seed ${pictures.seed}), median of ${pictures.rounds} rounds; ` +
      'decoding, loading and warm-up are not timed',
    '',
    ...systems.map(({ system, name, runsOn, settings }) => `${system}: ${name}; ${runsOn}; ${settings}`),
    '',
    ...table([
      ['', 'processes', 'pictures/s', 'min-max', 'ms', 'CPU ms', 'faces', 'MB', 'Eyeline is', 'min-max'],
      ...speed.map((it) => [
        it.system,
        String(it.processes),
        it.picturesPerSecond.median.toFixed(1),
        between(it.picturesPerSecond),
        it.msPerPicture.toFixed(1),
        it.cpuMsPerPicture.toFixed(1),
        String(it.faces),
        it.memoryMb.toFixed(0),
        it.eyelineTimes ? `${it.eyelineTimes.median.toFixed(1)} x` : '',
        it.eyelineTimes ? between(it.eyelineTimes) : '',
      ]),
    ]),
    '',
    ...table([
      ['', 'with a face', 'pairs right', 'rank-1', 'AUC', 'by'],
      ...systems.map(({ system, withFace, accuracy }) => [
        system,
        `${withFace} of ${pictures.lookedAt}`,
        percent(accuracy?.verification),
        percent(accuracy?.rank1),
        accuracy ? accuracy.auc.toFixed(4) : '-',
        accuracy?.measure ?? '-',
      ]),
    ]),
    ...(systems.some(({ accuracy }) => accuracy) ? [] : ['No accuracy: nothing tells who is in these pictures.']),
  ].join('\n');
}

function between({ min, max }: Spread): string {
  return `${min.toFixed(1)}-${max.toFixed(1)}`;
}

function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '-' : `${(share * 100).toFixed(2)} %`;
}

/** Columns aligned: names to the left, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
