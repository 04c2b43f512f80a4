/** A copy in random order (Fisher and Yates), the same for the same numbers of `random` in 0..1. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const copy = [...list];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const taken = copy[last] as T;
    copy[last] = copy[other] as T;
    copy[other] = taken;
  }
  return copy;
}
