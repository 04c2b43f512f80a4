import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { filmAgain } from '../../scripts/film-again.ts';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { attemptReport } from '../../src/events/attempt.ts';
import { identityEvent } from '../../src/events/identity-event.ts';
import { Mosquitto } from '../rig/mosquitto.ts';
import { MqttRecorder } from '../rig/mqtt-recorder.ts';
import { Program, runProgram } from '../rig/program.ts';
import { sharedData } from '../rig/shared-data.ts';
import { tellFailure } from '../rig/tell-failure.ts';

const run = promisify(execFile);
/** One person: enrolled by a clip, before the camera in another one, and on a print, held before it, of a third. */
const [enrolled, comes, shown] = ['again', 'student', 'brother'].map((name) => sharedData(`clips/${name}.mkv`)) as [
  string | null,
  string | null,
  string | null,
];
/** Looks at the print after which it would have been named long since: a decision rests on ten at most. */
const LOOKS = 12;

describe.skipIf(!enrolled || !comes || !shown)('somebody, and a print that shows them (needs ../shared/data)', () => {
  let folder: string;
  let broker: Mosquitto;
  let server: RtspServer;
  let recorder: MqttRecorder;
  let daemon: Program;

  const start = async (liveness: 'report' | 'require') => {
    const config = {
      device: { id: 'gate' },
      cameras: ['live', 'print'].map((id) => ({ id, source: server.url(id) })),
      recognition: { cooldownMs: 0, liveness },
      events: { attempts: true },
      gallery: { file: join(folder, 'gallery.sqlite') },
      mqtt: { url: broker.url },
    };
    await writeFile(join(folder, 'eyeline.yaml'), stringify(config));
    const added = await runProgram(['enroll', '-c', 'eyeline.yaml', 'people'], { cwd: folder });
    expect(added.code).toBe(0);
    daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });
  };
  const events = (camera: string) =>
    recorder.messages
      .filter(({ topic }) => topic === 'eyeline/gate/event')
      .map(({ payload }) => identityEvent.parse(JSON.parse(payload)))
      .filter((event) => event.camera === camera);
  const attempts = () =>
    recorder.messages
      .filter(({ topic }) => topic === 'eyeline/gate/debug/attempt')
      .map(({ payload }) => attemptReport.parse(JSON.parse(payload)))
      .filter(({ camera }) => camera === 'print');
  const known = (camera: string) => events(camera).find(({ decision }) => decision === 'known');

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-e2e-liveness-'));
    await frames(enrolled, 'fps=2', join(folder, 'people', 'ann'));
    await frames(comes, 'fps=10', join(folder, 'live'));
    await frames(shown, 'fps=10', join(folder, 'shown'));
    await mkdir(join(folder, 'print'));
    for (const name of await readdir(join(folder, 'shown'))) {
      const jpeg = await readFile(join(folder, 'shown', name));
      await writeFile(join(folder, 'print', name), await filmAgain(jpeg, 'brother', 'print'));
    }
    broker = await Mosquitto.start();
    server = new RtspServer({ streams: { live: await film('live'), print: await film('print') } });
    await server.start();
    recorder = new MqttRecorder(broker.url);
    await recorder.start();
  });

  afterEach(async ({ task }) => {
    tellFailure(task, recorder, [daemon]);
    await daemon?.stop();
    await recorder?.stop();
    await server?.stop();
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('with `report` both are named, and the event says that the print does not look live', async () => {
    await start('report');
    await recorder.until(() => known('live') !== undefined && known('print') !== undefined);
    expect(known('live')).toMatchObject({ person: { name: 'ann' } });
    expect(known('print')).toMatchObject({ person: { name: 'ann' } });
    expect(known('print')?.liveness ?? 1).toBeLessThan(0.5);
  });

  it('with `require` the print is never named, however well it matches', async () => {
    await start('require');
    await recorder.until(() => known('live') !== undefined && attempts().length >= LOOKS);
    // It matches: without the liveness it would be named.
    expect(attempts().filter(({ matches: [best] }) => best && best.llr > 0).length).toBeGreaterThan(LOOKS / 2);
    expect(attempts().filter(({ decision, person }) => decision === 'known' || person !== null)).toEqual([]);
    expect(events('print').filter(({ person }) => person !== null)).toEqual([]);
  });

  /** The pictures of a folder as a film of 10 frames a second. */
  async function film(name: string): Promise<string> {
    const file = join(folder, `${name}.mkv`);
    const coding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p', '-g', '10'];
    const input = ['-framerate', '10', '-pattern_type', 'glob', '-i', join(folder, name, '*.jpg')];
    await run('ffmpeg', ['-v', 'error', ...input, ...coding, file]);
    return file;
  }
});

async function frames(clip: string | null, filter: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await run('ffmpeg', ['-v', 'error', '-i', clip ?? '', '-vf', filter, '-q:v', '2', join(to, '%03d.jpg')]);
  expect((await readdir(to)).length).toBeGreaterThan(0);
}
