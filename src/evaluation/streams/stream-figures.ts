import { EyelineError } from '../../core/errors.ts';
import { seedOf } from '../../core/seeded-random.ts';
import { quantile } from '../../core/statistics.ts';
import type { GalleryEncoder } from '../../gallery/template.ts';
import type { DecisionParts } from '../../pipeline/decision-parts.ts';
import { decideStream } from './decide-stream.ts';
import { type Cluster, type CountedRate, countedRate } from './rate-interval.ts';
import { type Claim, evidenceOf, singleClaim, trackClaim } from './stream-claims.ts';
import { dealGalleries, type StreamGallery } from './stream-galleries.ts';
import type { StreamPerson } from './stream-set.ts';
import type { WalkPlan } from './walk.ts';

export interface StreamOptions {
  readonly parts: DecisionParts;
  readonly encoders: readonly GalleryEncoder[];
  readonly minQuality: number;
  readonly minFrames: number;
  readonly walk: WalkPlan;
  readonly gallerySize: number;
  readonly deals: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

/** Shares are of the tracks of those meant, before every gallery. */
export interface StreamFigures {
  readonly people: number;
  readonly galleries: number;
  readonly configuredRate: number;
  /** Strangers' tracks that were named, by the decisions of the daemon. */
  readonly falseAccepts: CountedRate;
  /** Tracks of people enrolled that were not named rightly (FNIR), and what was told instead. */
  readonly notNamed: CountedRate;
  readonly toldUnknown: number;
  readonly undecided: number;
  /** Tracks of people enrolled that were named as another. */
  readonly misnamed: number;
  /** Of people named rightly, from the first frame with a face. */
  readonly decidedMs: { readonly median: number | null; readonly p90: number | null };
  readonly strangerDecidedMs: { readonly median: number | null };
  /** What the evidence claims against how often it was so. */
  readonly calibration: readonly { readonly claimed: number; readonly observed: CountedRate }[];
  /** Share not named rightly (FNIR) where so many strangers are named (FPIR): by the whole track, and by one look of it. */
  readonly voting: readonly { readonly fpir: number; readonly track: number; readonly single: number }[];
}

const CLAIMED = [1e-2, 3e-3, 1e-3, 3e-4, 1e-4];
const FPIRS = [1e-2, 1e-3];

/** Somebody walked by a gallery. */
interface Trial {
  readonly person: string;
  readonly gallery: number;
  readonly enrolled: boolean;
  readonly decision: 'known' | 'unknown' | 'undecided';
  readonly named: readonly string[];
  readonly decidedMs: number | null;
  readonly track: Claim;
  readonly single: Claim;
}

/** Lets everybody walk by every gallery. Throws NOTHING_TO_EVALUATE when there are too few people for one. */
export async function streamFigures(people: readonly StreamPerson[], options: StreamOptions): Promise<StreamFigures> {
  const { gallerySize: size, deals, seed, parts, encoders } = options;
  const galleries = dealGalleries(people, encoders, { size, deals, seed });
  if (galleries.length === 0) {
    const able = people.filter(({ templates }) => templates.length > 0).length;
    throw new EyelineError(
      'NOTHING_TO_EVALUATE',
      `${able} people with something to enrol and a picture to walk by are fewer than the ${size} of a gallery`,
    );
  }
  const trials: Trial[] = [];
  for (const [number, gallery] of galleries.entries()) {
    parts.adapt(gallery.view);
    for (const person of people) {
      options.signal?.throwIfAborted();
      trials.push(await trialOf(person, gallery, number, options));
    }
  }
  const strangers = trials.filter(({ enrolled }) => !enrolled);
  const known = trials.filter(({ enrolled }) => enrolled);
  const rightly = known.filter((trial) => isRight(trial));
  const times = (of: readonly Trial[]) => of.flatMap(({ decidedMs }) => (decidedMs === null ? [] : [decidedMs]));
  const share = (holds: (trial: Trial) => boolean) => known.filter(holds).length / Math.max(1, known.length);
  return {
    people: people.length,
    galleries: galleries.length,
    configuredRate: parts.falseAcceptRate,
    falseAccepts: rateOf(strangers, ({ named }) => named.length > 0),
    notNamed: rateOf(known, (trial) => !isRight(trial)),
    toldUnknown: share((trial) => trial.decision === 'unknown'),
    undecided: share((trial) => trial.decision === 'undecided'),
    misnamed: share(({ person, named }) => named.some((id) => id !== person)),
    decidedMs: { median: quantile(times(rightly), 0.5), p90: quantile(times(rightly), 0.9) },
    strangerDecidedMs: { median: quantile(times(strangers), 0.5) },
    calibration: CLAIMED.map((claimed) => ({
      claimed,
      observed: rateOf(strangers, ({ track }) => track.rate <= claimed),
    })),
    voting: FPIRS.map((fpir) => ({
      fpir,
      track: missedAt(fpir, strangers, known, ({ track }) => track),
      single: missedAt(fpir, strangers, known, ({ single }) => single),
    })),
  };
}

async function trialOf(
  person: StreamPerson,
  { view: gallery, enrolled }: StreamGallery,
  number: number,
  { parts, minQuality, minFrames, walk, seed }: StreamOptions,
): Promise<Trial> {
  const told = await decideStream(person.track, { parts, gallery, minQuality, plan: walk });
  const claims = { scores: parts.scores, gallery, minQuality, minFrames, fps: walk.fps };
  const looks = evidenceOf(person.track, claims);
  return {
    person: person.id,
    gallery: number,
    enrolled: enrolled.has(person.id),
    ...told,
    track: trackClaim(looks, claims),
    single: singleClaim(looks, seedOf(seed, person.id), claims),
  };
}

function isRight({ person, named }: Trial): boolean {
  return named.length > 0 && named.every((id) => id === person);
}

/** Trials of one person hang together, and so do those before one gallery. */
function rateOf(trials: readonly Trial[], holds: (trial: Trial) => boolean): CountedRate {
  const by = (key: (trial: Trial) => string | number): Cluster[] => {
    const clusters = new Map<string | number, { events: number; trials: number }>();
    for (const trial of trials) {
      const cluster = clusters.get(key(trial)) ?? { events: 0, trials: 0 };
      clusters.set(key(trial), cluster);
      cluster.trials++;
      if (holds(trial)) cluster.events++;
    }
    return [...clusters.values()];
  };
  return countedRate([by(({ person }) => person), by(({ gallery }) => gallery)]);
}

/** Share of people enrolled who are not found, at a claim that so many strangers reach. */
function missedAt(
  fpir: number,
  strangers: readonly Trial[],
  known: readonly Trial[],
  claimOf: (trial: Trial) => Claim,
): number {
  const claims = strangers.map((trial) => claimOf(trial).rate).sort((a, b) => a - b);
  const allowed = Math.floor(fpir * claims.length);
  // Those below the one that would be too many: of equal claims none.
  const limit = claims[allowed] ?? 1;
  const found = known.filter((trial) => {
    const { rate, personId } = claimOf(trial);
    return personId === trial.person && rate < limit;
  });
  return 1 - found.length / Math.max(1, known.length);
}
