/** Longer ones are made anew: a large picture must not leave its memory behind. */
const MOST = 1 << 20;

/**
 * Memory for one purpose at a time, used again by the next mask: what is thrown away each time has to be taken from the
 * system, cleared and collected. It holds whatever was left in it.
 */
export function scratch<T extends Float32Array | Float64Array>(make: (length: number) => T): (length: number) => T {
  let kept = make(0);
  return (length) => {
    if (length > MOST) return make(length);
    if (kept.length < length) kept = make(length);
    return kept.subarray(0, length) as T;
  };
}
