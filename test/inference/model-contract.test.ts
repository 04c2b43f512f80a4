import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { readContract, writeContract } from '../../src/inference/model-contract.ts';

const PIXELS = { mean: [127, 127, 127], scale: [0.5, 0.5, 0.5], colour: 'bgr' } as const;
const onnx = new Uint8Array(
  await readFile(fileURLToPath(new URL('../../models/mobilefacenet-512-upper.onnx', import.meta.url))),
);
const contract = { mean: [1, 2, 3], scale: [0.1, 0.2, 0.3], colour: 'rgb', part: 'upper' } as const;

it('reads back what a file says of itself, the last word where it was said twice', () => {
  const once = writeContract(onnx, { ...contract, alignedBy: 'eyes' });
  const twice = writeContract(once, { ...contract, alignedBy: 'eyes-bridge' });
  expect(readContract(once, PIXELS)).toMatchObject({ alignedBy: 'eyes', embedding: 512 });
  expect(readContract(twice, PIXELS)).toMatchObject({
    alignedBy: 'eyes-bridge',
    input: { width: 112, height: 64, channels: 3, mean: [1, 2, 3], scale: [0.1, 0.2, 0.3], colour: 'rgb' },
  });
  expect(readContract(writeContract(onnx, contract), PIXELS)).toMatchObject({ alignedBy: 'five', mirrored: false });
  expect(readContract(writeContract(onnx, { ...contract, mirrored: true }), PIXELS).mirrored).toBe(true);
});

it('keeps what templates are made together with', () => {
  const jointWith = { encoder: 'a'.repeat(64), share: 0.5 };
  expect(readContract(writeContract(onnx, { ...contract, jointWith }), PIXELS).jointWith).toEqual(jointWith);
  expect(readContract(writeContract(onnx, contract), PIXELS).jointWith).toBeUndefined();
  const odd = writeContract(onnx, { ...contract, jointWith: { encoder: 'a', share: 2 } });
  expect(() => readContract(odd, PIXELS)).toThrow(/jointWith has no encoder, or no share from 0 to 1/);
});

it('is what the shipped upper-part encoder says', () => {
  expect(readContract(onnx, PIXELS)).toMatchObject({ alignedBy: 'eyes-bridge', input: { colour: 'rgb', height: 64 } });
});

it('refuses an alignment there is none of', () => {
  const odd = writeContract(onnx, { ...contract, alignedBy: 'ears' as never });
  expect(() => readContract(odd, PIXELS)).toThrow(/alignedBy is none of five, eyes, eyes-bridge/);
});
