/** Feature vectors of one length, row after row. */
export interface FeatureMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
}

/** Rows of equal length as one matrix. Throws RangeError when lengths differ or there is none. */
export function matrixOf(rows: readonly Float32Array[]): FeatureMatrix {
  const columns = rows[0]?.length;
  if (columns === undefined) throw new RangeError('no feature vectors');
  const data = new Float32Array(rows.length * columns);
  for (const [index, row] of rows.entries()) {
    if (row.length !== columns) throw new RangeError(`feature vectors have ${columns} and ${row.length} numbers`);
    data.set(row, index * columns);
  }
  return { rows: rows.length, columns, data };
}

/** Row `index`, without a copy. */
export function rowOf({ columns, data }: FeatureMatrix, index: number): Float32Array {
  return data.subarray(index * columns, (index + 1) * columns);
}

export function squaredDistance(first: Float32Array, second: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < first.length; at++) {
    const difference = (first[at] as number) - (second[at] as number);
    sum += difference * difference;
  }
  return sum;
}

export function dot(first: Float32Array, second: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < first.length; at++) sum += (first[at] as number) * (second[at] as number);
  return sum;
}
