import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { decodePicture } from '../../src/capture/opencv-picture.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Frame } from '../../src/core/picture.ts';
import type { IdentityDraft } from '../../src/events/identity-event.ts';
import { CameraPipeline } from '../../src/pipeline/camera-pipeline.ts';
import { decisionParts } from '../../src/pipeline/decision-parts.ts';
import { openFaceAnalyser } from '../../src/wiring/open-faces.ts';
import { testConfig } from '../rig/config.ts';
import { sharedData } from '../rig/shared-data.ts';

const FRAME_MS = 100;
const clip = sharedData('clips/no-face-people-walking.mp4');

it.skipIf(!clip)(
  'no frame of people seen from behind makes an event (needs ../shared/data)',
  { timeout: 600_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eyeline-no-face-'));
    const config = await testConfig();
    const chain = await openFaceAnalyser(config, silentLogger, { lowScore: config.tracks.lowScore });
    const decisions = decisionParts({ ...config, recognition: { ...config.recognition, cooldownMs: 0 } }, chain);
    const drafts: IdentityDraft[] = [];
    let nowMs = 0;
    let frames = 0;
    try {
      await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', clip ?? '', '-q:v', '2', join(folder, '%05d.jpg')]);
      const pipeline = new CameraPipeline({
        camera: 'walk',
        analyser: chain.analyser,
        tracker: decisions.tracker(),
        visits: decisions.visits(),
        gallery: () => ({
          version: 1,
          has: () => false,
          search: () => [],
          enrolled: () => ({ people: 0, templates: 0 }),
        }),
        scores: decisions.scores,
        falseAcceptRate: decisions.falseAcceptRate,
        minQuality: config.recognition.minQuality,
        publish: (draft) => drafts.push(draft),
        clock: { now: () => nowMs, monotonic: () => nowMs, sleep: async () => {} },
        logger: silentLogger,
      });
      await pipeline.run(play());
      expect(pipeline.failedFrames).toBe(0);
    } finally {
      await chain.close();
      await rm(folder, { recursive: true, force: true });
    }
    expect(frames).toBeGreaterThan(1300);
    expect(drafts).toEqual([]);

    async function* play(): AsyncGenerator<Frame> {
      for (const name of (await readdir(folder)).sort()) {
        const picture = await decodePicture(await readFile(join(folder, name)), name);
        nowMs += FRAME_MS;
        yield {
          camera: 'walk',
          sequence: ++frames,
          capturedAtMs: nowMs,
          captureMs: 0,
          width: picture.width,
          height: picture.height,
          fit: (input) => picture.fit(input),
          cut: (cuts) => picture.cut(cuts),
          pixels: () => picture.pixels(),
          release: () => picture.release(),
        };
      }
    }
  },
);
