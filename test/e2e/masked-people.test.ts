import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { type IdentityEvent, identityEvent } from '../../src/events/identity-event.ts';
import { Mosquitto } from '../rig/mosquitto.ts';
import { MqttRecorder, type Recorded } from '../rig/mqtt-recorder.ts';
import { Program, runProgram } from '../rig/program.ts';
import { sharedData } from '../rig/shared-data.ts';
import { tellFailure } from '../rig/tell-failure.ts';

const run = promisify(execFile);
/** Two people who are enrolled, by another clip than the one they come in with a mask, and one who is not. */
const PEOPLE = {
  ann: { enrolled: sharedData('clips/again.mkv'), comes: sharedData('clips/student.mkv') },
  ben: { enrolled: sharedData('clips/bird.mkv'), comes: sharedData('clips/milk.mkv') },
  stranger: { enrolled: null, comes: sharedData('clips/learn.mkv') },
} as const;
const NAMES = Object.keys(PEOPLE) as (keyof typeof PEOPLE)[];
const complete = NAMES.every((name) => PEOPLE[name].comes) && PEOPLE.ann.enrolled && PEOPLE.ben.enrolled;

describe.skipIf(!complete)('three people who wear masks (needs ../shared/data)', () => {
  let folder: string;
  let broker: Mosquitto;
  let server: RtspServer;
  let recorder: MqttRecorder;
  let daemon: Program;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-e2e-masked-'));
    for (const name of NAMES) {
      const { enrolled, comes } = PEOPLE[name];
      await frames(comes, 'fps=10', join(folder, 'bare', name));
      if (enrolled) await frames(enrolled, 'fps=2', join(folder, 'people', name));
    }
    const masked = ['dataset', 'mask', 'bare', 'masked', '--type', 'surgical', '--fit', 'normal', '--colour', 'blue'];
    expect((await runProgram(masked, { cwd: folder })).code).toBe(0);
    const streams: Record<string, string> = {};
    for (const name of NAMES) streams[name] = await film(join(folder, 'masked', name), join(folder, `${name}.mkv`));

    broker = await Mosquitto.start();
    server = new RtspServer({ streams });
    await server.start();
    const config = {
      device: { id: 'gate' },
      cameras: NAMES.map((id) => ({ id, source: server.url(id) })),
      models: { upperEncoder: 'mobilefacenet-512-upper' },
      recognition: { cooldownMs: 0 },
      gallery: { file: join(folder, 'gallery.sqlite') },
      mqtt: { url: broker.url },
    };
    await writeFile(join(folder, 'eyeline.yaml'), stringify(config));
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

  it('are known by the upper part of their faces when enrolled, and never taken for one another', async () => {
    const enrolled = await runProgram(['enroll', '-c', 'eyeline.yaml', 'people'], { cwd: folder });
    expect(enrolled.code).toBe(0);
    daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });

    for (const name of ['ann', 'ben'] as const) {
      const { payload } = await recorder.until(of(name, (event) => event.decision === 'known'));
      expect(eventOf(payload)).toMatchObject({ person: { name }, mask: 'worn' });
    }
    // The stranger was looked at until a decision was due, or left without one.
    await recorder.until(of('stranger', ({ decision, type }) => decision === 'unknown' || type === 'exit'));

    const events = recorder.messages.filter(isEvent).map(({ payload }) => eventOf(payload));
    for (const { camera, person } of events) {
      if (person) expect(person.name).toBe(camera);
    }
    expect(events.filter(({ camera, person }) => camera === 'stranger' && person)).toEqual([]);
  });
});

const isEvent = ({ topic }: Recorded): boolean => topic === 'eyeline/gate/event';
const eventOf = (payload: string): IdentityEvent => identityEvent.parse(JSON.parse(payload));
const of = (camera: string, holds: (event: IdentityEvent) => boolean) => (message: Recorded) => {
  if (!isEvent(message)) return false;
  const event = eventOf(message.payload);
  return event.camera === camera && holds(event);
};

async function frames(clip: string | null, filter: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await run('ffmpeg', ['-v', 'error', '-i', clip ?? '', '-vf', filter, '-q:v', '2', join(to, '%03d.jpg')]);
  expect((await readdir(to)).length).toBeGreaterThan(0);
}

/** The pictures of a folder as a film of 10 frames a second. */
async function film(from: string, file: string): Promise<string> {
  const coding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p', '-g', '10'];
  const input = ['-framerate', '10', '-pattern_type', 'glob', '-i', join(from, '*.jpg')];
  await run('ffmpeg', ['-v', 'error', ...input, ...coding, file]);
  return file;
}
