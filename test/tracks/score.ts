/** What a tracker said of one frame: the number it gave a detection (null: none), and whose face it was. */
export interface Labelled {
  readonly track: number | null;
  readonly person: number | null;
}

export interface TrackingScore {
  /** How often somebody's number was another than when they were last seen (IDSW of CLEAR MOT). */
  readonly switches: number;
  /** How often a number went over to another person than it last was: the mistake that lends somebody a name. */
  readonly transfers: number;
  /**
   * Share of sightings that are right when each person is given the one number that suits best: Ristani et al.,
   * "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", ECCV-W 2016.
   */
  readonly idf1: number;
}

/** Scores what a tracker made of the frames of one scene. */
export function scoreTracking(frames: readonly (readonly Labelled[])[]): TrackingScore {
  const numbers = new Map<number, number>();
  const owners = new Map<number, number>();
  const shared = new Map<number, Map<number, number>>();
  let [switches, transfers, sightings, labels] = [0, 0, 0, 0];
  for (const { track, person } of frames.flat()) {
    if (track !== null) labels++;
    if (person === null) continue;
    sightings++;
    if (track === null) continue;
    if ((numbers.get(person) ?? track) !== track) switches++;
    if ((owners.get(track) ?? person) !== person) transfers++;
    numbers.set(person, track);
    owners.set(track, person);
    const row = shared.get(track) ?? new Map<number, number>();
    shared.set(track, row.set(person, (row.get(person) ?? 0) + 1));
  }
  return { switches, transfers, idf1: (2 * bestAssignment([...shared.values()])) / (sightings + labels) };
}

/** Greatest sum with at most one entry a row and a column; by all subsets of the columns, which are few. */
function bestAssignment(rows: readonly ReadonlyMap<number, number>[]): number {
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  let best = new Array<number>(2 ** columns.length).fill(0);
  for (const row of rows) {
    best = best.map((without, used) =>
      columns.reduce((most, column, bit) => {
        if ((used & (1 << bit)) === 0) return most;
        return Math.max(most, (best[used ^ (1 << bit)] ?? 0) + (row.get(column) ?? 0));
      }, without),
    );
  }
  return best.at(-1) ?? 0;
}
