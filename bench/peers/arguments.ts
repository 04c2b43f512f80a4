import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { PEERS, type PeerName } from './system.ts';

export interface BenchOptions {
  /** Folder with a folder a person in it. */
  readonly people: string | null;
  readonly pairs: { readonly list: string; readonly images: string } | null;
  /** How many pictures are timed. */
  readonly pictures: number;
  readonly rounds: number;
  readonly seed: number;
  /** Processes of the second way each system is run; 1 leaves that way out. */
  readonly processes: number;
  readonly peers: readonly PeerName[];
  readonly json: boolean;
}

/** The command line is wrong; `message` says how in one line. */
export class UsageError extends Error {}

export const USAGE = `Eyeline beside other face recognition for Node.js, on the same decoded pictures.

  npm run --silent bench:peers -- [options]

  --dir DIR        pictures, a folder a person: a seeded choice of people is timed, each with all of its pictures
  --pairs FILE     verification pairs (lines of same,a,b under a heading), together with
  --images DIR     the folder their names are in
  --pictures N     pictures timed (200)
  --rounds N       times each system goes through them, by turns (5)
  --seed N         of the choice (1)
  --processes N    processes of the second way each system is run; 1 leaves that way out (one a core: ${availableParallelism()})
  --peers A,B      of ${PEERS.join(', ')} (all)
  --json           print one JSON object

Without --dir and --pairs it takes the photos of the models' manifest, which come with no names, hence no accuracy.`;

/** Reads the command line; null when it asks for help. Throws UsageError. */
export function readArguments(argv: readonly string[]): BenchOptions | null {
  const values = parse(argv);
  if (values.help) return null;
  const { dir, pairs, images } = values;
  if ((pairs === undefined) !== (images === undefined)) throw new UsageError('--pairs and --images go together');
  return {
    people: dir ?? null,
    pairs: pairs !== undefined && images !== undefined ? { list: pairs, images } : null,
    pictures: count('pictures', values.pictures, 200),
    rounds: count('rounds', values.rounds, 5),
    seed: count('seed', values.seed, 1),
    processes: count('processes', values.processes, availableParallelism()),
    peers: readPeers(values.peers),
    json: values.json ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        dir: { type: 'string' },
        pairs: { type: 'string' },
        images: { type: 'string' },
        pictures: { type: 'string' },
        rounds: { type: 'string' },
        seed: { type: 'string' },
        processes: { type: 'string' },
        peers: { type: 'string' },
        json: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error));
  }
}

function count(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^[1-9]\d{0,6}$/.test(text)) throw new UsageError(`--${name} must be a whole number from 1, not "${text}"`);
  return Number(text);
}

function readPeers(text: string | undefined): readonly PeerName[] {
  if (text === undefined) return PEERS;
  const names = text.split(',').map((name) => name.trim());
  return names.map((name) => {
    const peer = PEERS.find((known) => known === name);
    if (!peer) throw new UsageError(`--peers: "${name}" is none of ${PEERS.join(', ')}`);
    return peer;
  });
}
