import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectAsync } from 'mqtt';
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
const clip = (name: string) => sharedData(`clips/${name}`);
const [enrolFrom, samePerson, otherPerson, nobody] = [
  clip('again.mkv'),
  clip('student.mkv'),
  clip('bird.mkv'),
  clip('no-face-people-walking.mp4'),
];

const status = (camera: string) => `eyeline/gate/camera/${camera}/status`;
const says = (topic: string, payload: string) => (message: Recorded) =>
  message.topic === topic && message.payload === payload;

describe.skipIf(!enrolFrom || !samePerson || !otherPerson || !nobody)(
  'the main job on recorded people (needs ../shared/data)',
  () => {
    let folder: string;
    let broker: Mosquitto;
    let server: RtspServer;
    let recorder: MqttRecorder;
    let daemon: Program;

    const events = (from = 0): IdentityEvent[] =>
      recorder.messages
        .slice(from)
        .filter(({ topic }) => topic === 'eyeline/gate/event')
        .map(({ payload }) => identityEvent.parse(JSON.parse(payload)));
    const eventOf =
      (camera: string, decision: string, ...types: IdentityEvent['type'][]) =>
      (message: Recorded) => {
        if (message.topic !== 'eyeline/gate/event') return false;
        const event = identityEvent.parse(JSON.parse(message.payload));
        if (!(types.length > 0 ? types : ['enter', 'update']).includes(event.type)) return false;
        return event.camera === camera && event.decision === decision;
      };

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'eyeline-e2e-'));
      const portraits = join(folder, 'people', 'Person A');
      await mkdir(portraits, { recursive: true });
      await run('ffmpeg', [
        '-v',
        'error',
        '-i',
        enrolFrom ?? '',
        '-vf',
        'fps=2',
        '-q:v',
        '2',
        join(portraits, '%d.jpg'),
      ]);

      broker = await Mosquitto.start();
      server = new RtspServer({
        streams: { one: samePerson ?? '', two: otherPerson ?? '', three: nobody ?? '' },
      });
      await server.start();
      const config = {
        device: { id: 'gate' },
        cameras: ['one', 'two', 'three'].map((id) => ({ id, source: server.url(id), stallTimeoutMs: 4000 })),
        capture: { retry: { firstDelayMs: 300, maxDelayMs: 1000 } },
        recognition: { cooldownMs: 0 },
        gallery: { file: join(folder, 'gallery.sqlite') },
        mqtt: { url: broker.url, commands: ['snapshot'] },
        privacy: { snapshots: true, crops: { folder: join(folder, 'crops'), key: 'ab'.repeat(32) } },
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

    it('knows whom it should, names nobody else, over a cut of the streams, and leaves in order', async () => {
      const enrolled = await runProgram(['enroll', '-c', 'eyeline.yaml', 'people'], { cwd: folder });
      expect(enrolled.stderr + enrolled.stdout).toContain('Person A');
      expect(enrolled.code).toBe(0);

      daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });
      await recorder.until(says('eyeline/gate/status', 'online'));
      const firstFrame = await recorder.until(says(status('one'), 'online'));
      const first = await recorder.until(eventOf('one', 'known'));
      await recorder.until(eventOf('two', 'unknown'));
      await recorder.until(says(status('three'), 'online'));
      const event = identityEvent.parse(JSON.parse(first.payload));
      console.log(
        `known ${Date.parse(event.decidedAt) - firstFrame.atMs} ms after the first frame, score ${event.score}`,
      );
      expect(event.person?.name).toBe('Person A');

      // A picture is there for whoever asks and may.
      const hub = await connectAsync(broker.url, { protocolVersion: 5 });
      await hub.publishAsync('eyeline/gate/command', '{"command":"snapshot","camera":"three"}', { qos: 1 });
      const { payload: answer } = await recorder.until(({ topic }) => topic === 'eyeline/gate/response');
      expect(JSON.parse(answer)).toMatchObject({ ok: true, result: { camera: 'three', height: expect.any(Number) } });
      const picture = await recorder.until(({ topic }) => topic === 'eyeline/gate/camera/three/snapshot');
      expect(picture.payload).toContain('JFIF');
      await hub.endAsync();

      // Streams cut: the cameras are told offline, come back when the server does, and both are decided anew.
      const beforeCut = recorder.messages.length;
      await server.kill();
      for (const camera of ['one', 'two', 'three']) await recorder.until(says(status(camera), 'offline'), beforeCut);
      const beforeReturn = recorder.messages.length;
      await server.start();
      for (const camera of ['one', 'two', 'three']) await recorder.until(says(status(camera), 'online'), beforeReturn);
      await recorder.until(eventOf('one', 'known'), beforeReturn);
      await recorder.until(eventOf('two', 'unknown'), beforeReturn);
      // Who stood there before the cut has left, as far as anybody knows.
      await recorder.until(eventOf('one', 'known', 'exit'), beforeCut);

      for (const { camera, person } of events()) {
        if (camera === 'one') expect(person === null || person.name === 'Person A').toBe(true);
        else expect(person).toBeNull();
      }
      expect(events().filter(({ camera }) => camera === 'three')).toEqual([]);
      expect(recorder.messages.filter(({ topic, retained }) => topic.endsWith('/event') && retained)).toEqual([]);

      // The faces of the events are there, for whoever has the key.
      const exported = await runProgram(['crops', 'export', '-c', 'eyeline.yaml', 'faces'], { cwd: folder });
      expect(exported.stdout).toMatch(/^[1-9]\d* pictures written to faces/m);

      daemon.signal('SIGTERM');
      await recorder.until(says('eyeline/gate/status', 'stopped'));
      expect((await daemon.finished()).code).toBe(0);
    });

    it('takes a new person up without a restart', async () => {
      daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });
      await recorder.until(eventOf('one', 'unknown'));
      expect((await runProgram(['enroll', '-c', 'eyeline.yaml', 'people'], { cwd: folder })).code).toBe(0);
      const known = await recorder.until(eventOf('one', 'known'));
      expect(identityEvent.parse(JSON.parse(known.payload)).person?.name).toBe('Person A');

      const listed = await runProgram(['gallery', 'list', '-c', 'eyeline.yaml', '--json'], { cwd: folder });
      expect(listed.stdout).toContain('Person A');
      expect((await runProgram(['gallery', 'remove', '-c', 'eyeline.yaml', 'Person A'], { cwd: folder })).code).toBe(0);
      const removed = recorder.messages.length;
      await recorder.until(eventOf('one', 'unknown'), removed);
      expect(events(removed).filter(({ person }) => person !== null).length).toBeLessThanOrEqual(1);
    });

    it('names a visitor from what it saw and forgets a visitor; goes by what is said of a track', async () => {
      const cli = async (...args: string[]) => {
        const { code, stdout, stderr } = await runProgram([...args, '-c', 'eyeline.yaml'], { cwd: folder });
        expect(code, stderr).toBe(0);
        return stdout;
      };
      daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });
      await cli('enroll', 'people');
      const { visitor } = identityEvent.parse(JSON.parse((await recorder.until(eventOf('two', 'unknown'))).payload));
      const listed = async () =>
        JSON.parse(await cli('visitors', 'list', '--json')).visitors.map(({ id }: { id: string }) => id);
      expect(await listed()).toContain(visitor);

      expect(await cli('visitors', 'name', visitor ?? '', 'Ben')).toContain('is Ben (ben)');
      const known = await recorder.until(eventOf('two', 'known'));
      expect(identityEvent.parse(JSON.parse(known.payload)).person?.name).toBe('Ben');
      expect(await listed()).not.toContain(visitor);

      // Somebody says that it was not Person A: as long as the track lasts it is not taken for A, until that is taken back.
      const named = identityEvent.parse(JSON.parse((await recorder.until(eventOf('one', 'known'))).payload));
      const said = `${named.track} is not ${named.person?.id}`;
      const beforeDenial = recorder.messages.length;
      expect(await cli('gallery', 'deny', named.track)).toContain(said);
      expect(await cli('gallery', 'denied')).toContain(said);
      await recorder.until(eventOf('one', 'unknown'), beforeDenial);
      const afterDenial = recorder.messages.length;
      expect(await cli('gallery', 'allow', named.person?.id ?? '')).toContain('1 taken back');
      expect(await cli('gallery', 'denied')).not.toContain(said);
      await recorder.until(eventOf('one', 'known'), afterDenial);

      expect(await cli('visitors', 'forget', visitor ?? '')).toContain('1 forgotten');
    });
  },
);
