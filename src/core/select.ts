/**
 * The value that would stand at `index` were `values` sorted: quickselect (Hoare, "Algorithm 65: Find", 1961), which leaves
 * the values in another order. Sorting all for the sake of one takes ten times as long. NaN for an index outside.
 */
export function selected(values: Float32Array | Float64Array, index: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left > right) break;
      const value = values[left] as number;
      values[left++] = values[right] as number;
      values[right--] = value;
    }
    if (index <= right) high = right;
    else if (index >= left) low = left;
    else break;
  }
  return values[index] ?? Number.NaN;
}
