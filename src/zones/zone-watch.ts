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

  /**
   * Looks have shown that faces are of other tracks, all at once. A track is where the face is that is its. Of two that are one the
   * older way counts. Where faces were mixed up, nobody knows which of them came over a line since: what an event told stays.
   */
  rename(renamings: readonly Renaming[]): void {
    const followed = new Map(renamings.map(({ from }) => [from, this.#walks.get(from)]));
    for (const from of followed.keys()) this.#lose(from);
    for (const { from, merged, to } of renamings) {
      const young = followed.get(from);
      if (!young) continue;
      const old = this.#walks.get(to);
      if (merged) this.#walks.delete(from);
      const crossing = (merged ? young.whereabouts.crossing : null) ?? old?.whereabouts.crossing ?? null;
      const told = new Set([...(old?.told ?? []), ...(merged ? young.told : [])]);
      const whereabouts = { ...young.whereabouts, crossing: merged ? crossing : toldCrossing(told, crossing) };
      this.#walks.set(to, { beside: young.beside, whereabouts, told });
    }
  }

  /** Where the track's face is nobody knows: the one that was followed is another's. */
  #lose(track: number): void {
    const walk = this.#walks.get(track);
    if (!walk) return;
    const whereabouts = { zones: [], crossing: toldCrossing(walk.told, walk.whereabouts.crossing) };
    this.#walks.set(track, { beside: new Map(), whereabouts, told: walk.told });
  }

  forget(track: number): void {
    this.#walks.delete(track);
  }

  clear(): void {
    this.#walks.clear();
  }
}

function factsOf({ crossing, zones }: Whereabouts): string[] {
  return [...zones.map((zone) => `in ${zone}`), ...(crossing ? [crossed(crossing)] : [])];
}

function crossed({ direction, line }: Crossing): string {
  return `over ${line} ${direction}`;
}

/** The crossing, if an event told of it. */
function toldCrossing(told: ReadonlySet<string>, crossing: Crossing | null): Crossing | null {
  return crossing && told.has(crossed(crossing)) ? crossing : null;
}
