import type { Point } from '../core/geometry.ts';
import type { Renaming } from '../tracks/tracker.ts';
import { type CrossingLine, contains, crossingOf, type Direction, sideOf, type Zone } from './zone-geometry.ts';

export interface Crossing {
  readonly line: string;
  readonly direction: Direction;
}

/** Where a face is and which line it crossed last. */
export interface Whereabouts {
  /** Ids of the zones the face is in, in the order of the configuration. */
  readonly zones: readonly string[];
  readonly crossing: Crossing | null;
}

interface Walk {
  /** Last place beside each line, to cross it from. */
  beside: Map<string, Point>;
  whereabouts: Whereabouts;
  /** Zones and crossings that an event told of. */
  told: Set<string>;
}

const NOWHERE: Whereabouts = { zones: [], crossing: null };

/** Follows where the faces of one camera's tracks are: in which zones, and over which line they came. */
export class ZoneWatch {
  readonly #zones: readonly Zone[];
  readonly #lines: readonly CrossingLine[];
  readonly #walks = new Map<number, Walk>();

  constructor(zones: readonly Zone[], lines: readonly CrossingLine[]) {
    this.#zones = zones;
    this.#lines = lines;
  }

  /** The middle of the track's face is at `at`, in shares of the picture. */
  move(track: number, at: Point): void {
    if (this.#zones.length + this.#lines.length === 0) return;
    const walk = this.#walks.get(track) ?? { beside: new Map(), whereabouts: NOWHERE, told: new Set() };
    this.#walks.set(track, walk);
    let { crossing } = walk.whereabouts;
    for (const line of this.#lines) {
      const before = walk.beside.get(line.id);
      const direction = before ? crossingOf(line, before, at) : null;
      if (direction) crossing = { line: line.id, direction };
      // Whoever stands on the line has not crossed it yet.
      if (sideOf(line, at) !== 0) walk.beside.set(line.id, at);
    }
    walk.whereabouts = {
      zones: this.#zones.filter(({ polygon }) => contains(polygon, at)).map(({ id }) => id),
      crossing,
    };
  }

  /** Where the track's face is now. */
  at(track: number): Whereabouts {
    return this.#walks.get(track)?.whereabouts ?? NOWHERE;
  }

  /** Whether the face is in a zone, or has crossed a line, that no event told of. */
  hasNews(track: number): boolean {
    const walk = this.#walks.get(track);
    return walk !== undefined && factsOf(walk.whereabouts).some((fact) => !walk.told.has(fact));
  }

  /** An event tells where the face is. */
  tell(track: number): void {
    const walk = this.#walks.get(track);
    for (const fact of walk ? factsOf(walk.whereabouts) : []) walk?.told.add(fact);
  }

  /** Of two tracks that are one the older way counts, from where the younger is. */
  rename(renamings: readonly Renaming[]): void {
    for (const { from, merged, to } of renamings) {
      const young = this.#walks.get(from);
      if (!merged || !young) continue;
      this.#walks.delete(from);
      const old = this.#walks.get(to);
      const crossing = young.whereabouts.crossing ?? old?.whereabouts.crossing ?? null;
      const told = new Set([...(old?.told ?? []), ...young.told]);
      this.#walks.set(to, { beside: young.beside, whereabouts: { ...young.whereabouts, crossing }, told });
    }
  }

  forget(track: number): void {
    this.#walks.delete(track);
  }

  clear(): void {
    this.#walks.clear();
  }
}

function factsOf({ crossing, zones }: Whereabouts): string[] {
  return [...zones.map((zone) => `in ${zone}`), ...(crossing ? [`over ${crossing.line} ${crossing.direction}`] : [])];
}
