import type { Outputs, VisionModel } from '../../../src/inference/vision-model.ts';

/** A model that answers as told; remembers how many pictures it was given in each run. */
export class FakeModel implements VisionModel {
  readonly id = 'fake';
  readonly fingerprint = 'fake';
  readonly provider = 'cpu';
  readonly input: VisionModel['input'];
  readonly runs: number[] = [];
  readonly #answer: (pictures: number) => Outputs;

  constructor(width: number, height: number, answer: (pictures: number) => Outputs) {
    this.input = { width, height, channels: 3 };
    this.#answer = answer;
  }

  async run(pictures: readonly Uint8Array[]): Promise<Outputs> {
    this.runs.push(pictures.length);
    return this.#answer(pictures.length);
  }
}

/** A tensor of zeros but for some numbers. */
export function sparse(shape: readonly number[], values: Readonly<Record<number, number>> = {}) {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  for (const [index, value] of Object.entries(values)) data[Number(index)] = value;
  return { data, shape };
}
