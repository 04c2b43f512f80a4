import { cosine } from '../../faces/embedding.ts';

export interface AcceptRates {
  /** True accept rate at each false accept rate asked for. */
  readonly tar: readonly number[];
  /** Threshold of each. */
  readonly thresholds: readonly number[];
  /** What a stranger scores at most against the best of a gallery of everybody else, mean over probes. */
  readonly ceiling: number;
}

/**
 * Compares every probe with every face of the gallery but itself: unit embeddings, in the same order of faces.
 *
 * @param people number of the person of each face
 * @param rates  false accept rates, in any order
 */
export function trueAcceptRates(
  gallery: readonly Float32Array[],
  probes: readonly Float32Array[],
  people: readonly number[],
  rates: readonly number[],
): AcceptRates {
  const genuine: number[] = [];
  const impostors: number[] = [];
  let ceiling = 0;
  probes.forEach((probe, at) => {
    let highest = -1;
    gallery.forEach((face, other) => {
      if (other === at) return;
      const score = cosine(probe, face);
      if (people[at] === people[other]) genuine.push(score);
      else {
        impostors.push(score);
        if (score > highest) highest = score;
      }
    });
    ceiling += highest / probes.length;
  });
  const ranked = Float32Array.from(impostors).sort();
  const thresholds = rates.map((rate) => {
    const allowed = Math.floor(rate * ranked.length);
    return ranked[Math.max(0, ranked.length - 1 - allowed)] ?? 1;
  });
  const tar = thresholds.map(
    (threshold) => genuine.filter((score) => score > threshold).length / Math.max(1, genuine.length),
  );
  return { tar, thresholds, ceiling };
}
