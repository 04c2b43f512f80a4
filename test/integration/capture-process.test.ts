import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cameraForker } from '../../src/capture/fork-camera.ts';
import { nativePart } from '../../src/platform/native-parts.ts';
import { cameraProcessContract } from '../capture/camera-process-contract.ts';
import { blackHole } from '../rig/black-hole.ts';
import { cameraParent, gone } from '../rig/camera-parent.ts';
import { makeCounterClip } from '../rig/counter-clip.ts';

describe('the real camera process', () => {
  let folder: string;
  let file: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-capture-'));
    file = join(folder, 'clip.mkv');
    await makeCounterClip(file, { width: 320, height: 240, frames: 20, fps: 10 });
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  cameraProcessContract(() => ({ start: cameraForker(process.env), file }));

  it.skipIf(!nativePart('one_decoder_thread') || !nativePart('release_pages'))(
    'has the parts written in C (needs them compiled)',
    async () => {
      const { parent, camera } = await cameraParent(file);
      try {
        // The process first is setpriv and loads its parts one after the other; a test's time-out ends the wait.
        const loaded = () => readFile(`/proc/${camera}/maps`, 'utf8').catch(() => '');
        while (!(await loaded()).includes('release_pages.node')) await delay(20);
        expect(await loaded()).toContain('one_decoder_thread.node');
        expect(await loaded()).toContain('libopencv_videoio');
      } finally {
        parent.kill('SIGKILL');
      }
      await gone(camera);
    },
  );

  it('dies with its parent, also when that is killed while the process is stuck in opening', async () => {
    const hole = await blackHole();
    const { parent, camera } = await cameraParent(hole.url);
    await hole.connected;
    parent.kill('SIGKILL');
    const killedMs = performance.now();
    await gone(camera);
    // Left alone, OpenCV gives up after 30 seconds.
    expect(performance.now() - killedMs).toBeLessThan(15_000);
  });
});
