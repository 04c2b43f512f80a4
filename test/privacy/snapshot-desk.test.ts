import { expect, it } from 'vitest';
import { SnapshotDesk } from '../../src/privacy/snapshot-desk.ts';
import { StagedFrame } from '../fakes/fake-face-analyser.ts';

const encode = async (rgb: Uint8Array) => rgb.slice(0, 3);
const never = () => new AbortController().signal;

it('gives everybody who asked a picture of the next frame, and nobody one of the frame after', async () => {
  const desk = new SnapshotDesk(encode);
  await desk.pass(new StagedFrame(1, 1000, []));
  const asked = [desk.take(never()), desk.take(never())];
  await desk.pass(new StagedFrame(2, 2000, []));
  await desk.pass(new StagedFrame(3, 3000, []));
  const expected = { width: 640, height: 480, capturedAtMs: 2000, jpeg: new Uint8Array(3) };
  expect(await Promise.all(asked)).toEqual([expected, expected]);
});

it('makes large pictures smaller', async () => {
  const desk = new SnapshotDesk(encode);
  const asked = desk.take(never());
  const frame = Object.assign(new StagedFrame(1, 1000, []), { width: 3840, height: 2160 });
  await desk.pass(frame);
  expect(await asked).toMatchObject({ width: 1280, height: 720 });
});

it('gives up when it is told to, or when the picture cannot be made', async () => {
  const desk = new SnapshotDesk(async () => {
    throw new Error('no memory');
  });
  const impatient = new AbortController();
  const asked = desk.take(impatient.signal);
  impatient.abort(new Error('no frame came'));
  await expect(asked).rejects.toThrow('no frame came');
  const other = desk.take(never());
  await desk.pass(new StagedFrame(1, 1000, []));
  await expect(other).rejects.toThrow('no memory');
});
