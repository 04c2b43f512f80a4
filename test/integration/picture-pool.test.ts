import { type ChildProcess, execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { decodePicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { cosine } from '../../src/faces/embedding.ts';
import { createModelStore } from '../../src/inference/store.ts';
import { PicturePool } from '../../src/pictures/picture-pool.ts';
import type { PictureReading, PictureStep } from '../../src/pictures/picture-protocol.ts';
import { openFaceReader } from '../../src/wiring/open-faces.ts';
import { MODELS_DIR, testConfig } from '../rig/config.ts';

const OPTIONS = { workers: 2, batching: 'fastest', env: process.env } as const;

describe('PicturePool', () => {
  let folder: string;
  let photo: string;
  let pool: PicturePool;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-pool-'));
    await writeFile(join(folder, 'broken.jpg'), 'no picture');
    const store = await createModelStore({ dir: MODELS_DIR, extraManifest: null, logger: silentLogger });
    await store.pull(['sample6']);
    photo = await store.file('sample6');
    pool = new PicturePool(await testConfig(), OPTIONS);
    await pool.start();
  });
  afterAll(async () => {
    await pool.close();
    await rm(folder, { recursive: true });
  });

  const tasks = (files: readonly string[], upTo: PictureStep) =>
    files.map((file) => ({ kind: 'read' as const, file, upTo }));
  const readAll = async (files: readonly string[], upTo: PictureStep) => {
    const readings: PictureReading[] = [];
    for await (const reading of pool.run(tasks(files, upTo))) readings.push(reading);
    return readings;
  };

  it('finds and embeds in its processes what the chain finds here, in the order of the files', async () => {
    const { reader, close } = await openFaceReader(await testConfig(), silentLogger);
    const picture = await decodePicture(await readFile(photo), photo);
    const expected = await reader.read(picture);
    picture.release();
    await close();
    const files = Array.from({ length: 12 }, (_, index) => (index % 4 === 1 ? join(folder, 'broken.jpg') : photo));
    const readings = await readAll(files, 'embed');
    expect(readings.map(({ file }) => file)).toEqual(files);
    for (const [index, { error, faces, size }] of readings.entries()) {
      if (index % 4 === 1) {
        expect(error).toContain('not a picture');
        continue;
      }
      expect(error).toBeNull();
      expect(size).toEqual({ width: picture.width, height: picture.height });
      const embedded = faces.filter(({ embedding }) => embedding !== null);
      expect(embedded).toHaveLength(expected.length);
      embedded.forEach(({ box, crop, embedding, landmarks }, face) => {
        expect(box).toEqual(expected[face]?.box);
        expect(crop).toHaveLength(112 * 112 * 3);
        expect(landmarks).toHaveLength(68);
        expect(
          cosine(embedding ?? new Float32Array(), expected[face]?.embeddings[0]?.embedding ?? new Float32Array()),
        ).toBeGreaterThan(0.9999);
      });
    }
  });

  it('goes no further than it is told', async () => {
    const [decoded] = await readAll([photo], 'decode');
    expect(decoded).toMatchObject({ faces: [], error: null });
    const [detected] = await readAll([photo], 'detect');
    expect(detected?.faces.length).toBeGreaterThan(3);
    expect(detected?.faces[0]).toMatchObject({ landmarks: null, crop: null, embedding: null });
    const [aligned] = await readAll([photo], 'align');
    expect(aligned?.faces[0]?.crop).toHaveLength(112 * 112 * 3);
    expect(aligned?.faces[0]?.embedding).toBeNull();
  });

  it('stops when it is told to', async () => {
    const abort = new AbortController();
    const reading = pool.run(tasks(Array<string>(200).fill(photo), 'decode'), abort.signal);
    await reading.next();
    abort.abort(new Error('enough'));
    await expect(
      (async () => {
        for await (const _ of reading);
      })(),
    ).rejects.toThrow('enough');
    // What was given up is not taken for what is asked next.
    const files = [join(folder, 'broken.jpg'), photo];
    expect((await readAll(files, 'decode')).map(({ error }) => error === null)).toEqual([false, true]);
  });

  it('finishes what is under way when there are no more tasks, and then takes a failure that is no picture’s', async () => {
    let given = 0;
    function* some() {
      for (const task of tasks(Array<string>(40).fill(photo), 'decode')) {
        if (given === 11) return;
        given++;
        yield task;
      }
    }
    let answers = 0;
    for await (const { error } of pool.run(some())) if (error === null) answers++;
    expect(answers).toBe(11);
    const nowhere = {
      kind: 'mask',
      file: photo,
      to: join(folder, 'broken.jpg', 'x.jpg'),
      seed: 1,
      wanted: {},
    } as const;
    await expect(pool.run([nowhere]).next()).rejects.toMatchObject({ code: 'OUTPUT_UNWRITABLE' });
    expect(await readAll([photo], 'decode')).toHaveLength(1);
  });

  it('gives what other workers have in hand when one ends, and then says that it ended', async () => {
    const workers: ChildProcess[] = [];
    const forked = (message: unknown) => workers.push((message as { process: ChildProcess }).process);
    subscribe('child_process', forked);
    onTestFinished(() => void unsubscribe('child_process', forked));
    const failing = new PicturePool(await testConfig(), { ...OPTIONS, workers: 3 });
    onTestFinished(() => failing.close());
    await failing.start();
    const [, living, dying] = workers;
    if (!dying || !living) throw new Error('no workers');
    // Nothing comes out of a pipe before somebody writes to it: who reads it has an answer outstanding.
    const [ofLiving = '', ofDying = ''] = ['living.jpg', 'dying.jpg'].map((name) => join(folder, name));
    execFileSync('mkfifo', [ofLiving, ofDying]);
    const reading = failing.run(tasks([photo, ofLiving, ofDying], 'decode'));
    expect((await reading.next()).value).toMatchObject({ file: photo, error: null });

    const ended = once(dying, 'exit');
    dying.kill('SIGKILL');
    await ended;
    const answered = once(living, 'message');
    await writeFile(ofLiving, 'no picture');
    await answered;
    expect((await reading.next()).value).toMatchObject({ file: ofLiving });
    const failure = { code: 'INFERENCE_FAILED', message: 'a picture worker ended: SIGKILL' };
    await expect(reading.next()).rejects.toMatchObject(failure);
    await expect(failing.run(tasks([photo], 'decode')).next()).rejects.toMatchObject(failure);
  });

  it('says why it cannot start', async () => {
    const { models, ...config } = await testConfig();
    const nowhere = new PicturePool({ ...config, models: { ...models, dir: join(folder, 'none') } }, OPTIONS);
    await expect(nowhere.start()).rejects.toMatchObject({ code: 'MODEL_MISSING' });
  });
});
