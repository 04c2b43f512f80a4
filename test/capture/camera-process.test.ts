import { beforeEach, describe } from 'vitest';
import { FakeCameras } from '../fakes/frame-source.ts';
import { ManualClock } from '../fakes/frame-source-clock.ts';
import { cameraProcessContract, type Subject } from './camera-process-contract.ts';

describe('the fake camera process', () => {
  let subject: Subject;

  beforeEach(() => {
    const clock = new ManualClock();
    const cameras = new FakeCameras(clock, { width: 320, height: 240 });
    let played = 0;
    subject = {
      start: cameras.start,
      file: 'any.mkv',
      play: async () => {
        const process = cameras.started.at(-1);
        if (played === 0) process?.open();
        else if (played <= 20) process?.frame();
        else if (played === 21) await process?.end();
        played++;
        await clock.advance(100);
      },
    };
  });

  cameraProcessContract(() => subject);
});
