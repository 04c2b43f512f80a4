import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type IdentityEvent, identityEvent } from '../../src/events/identity-event.ts';
import { framesOf } from '../rig/films.ts';
import { eventIn, Gate } from '../rig/gate.ts';
import type { MqttRecorder, Recorded } from '../rig/mqtt-recorder.ts';
import { sharedData } from '../rig/shared-data.ts';

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
    let gate: Gate;
    let recorder: MqttRecorder;

    const eventOf =
      (camera: string, decision: string, ...types: IdentityEvent['type'][]) =>
      (message: Recorded) => {
        const event = eventIn(message);
        if (!event) return false;
        if (!(types.length > 0 ? types : ['enter', 'update']).includes(event.type)) return false;
        return event.camera === camera && event.decision === decision;
      };

    beforeEach(async () => {
      const folder = await Gate.folder();
      await framesOf(enrolFrom, 'fps=2', join(folder, 'people', 'Person A'));
      gate = await Gate.open(folder, { one: samePerson ?? '', two: otherPerson ?? '', three: nobody ?? '' });
      recorder = gate.recorder;
      const settings = {
        capture: { retry: { firstDelayMs: 300, maxDelayMs: 1000 } },
        recognition: { cooldownMs: 0 },
        mqtt: { url: gate.broker.url, commands: ['snapshot'] },
        privacy: { snapshots: true, crops: { folder: join(folder, 'crops'), key: 'ab'.repeat(32) } },
      };
      await gate.configure(['one', 'two', 'three'], settings, { stallTimeoutMs: 4000 });
    });

    afterEach(async ({ task }) => {
      await gate?.close(task);
    });

    it('knows whom it should, names nobody else, over a cut of the streams, and leaves in order', async () => {
      const enrolled = await gate.command('enroll', 'people');
      expect(enrolled.stderr + enrolled.stdout).toContain('Person A');
      expect(enrolled.code).toBe(0);

      const daemon = gate.startDaemon();
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
      const hub = await connectAsync(gate.broker.url, { protocolVersion: 5 });
      await hub.publishAsync('eyeline/gate/command', '{"command":"snapshot","camera":"three"}', { qos: 1 });
      const { payload: answer } = await recorder.until(({ topic }) => topic === 'eyeline/gate/response');
      expect(JSON.parse(answer)).toMatchObject({ ok: true, result: { camera: 'three', height: expect.any(Number) } });
      const picture = await recorder.until(({ topic }) => topic === 'eyeline/gate/camera/three/snapshot');
      expect(picture.payload).toContain('JFIF');
      await hub.endAsync();

      // Streams cut: the cameras are told offline, come back when the server does, and both are decided anew.
      const beforeCut = recorder.messages.length;
      await gate.server.kill();
      for (const camera of ['one', 'two', 'three']) await recorder.until(says(status(camera), 'offline'), beforeCut);
      const beforeReturn = recorder.messages.length;
      await gate.server.start();
      for (const camera of ['one', 'two', 'three']) await recorder.until(says(status(camera), 'online'), beforeReturn);
      await recorder.until(eventOf('one', 'known'), beforeReturn);
      await recorder.until(eventOf('two', 'unknown'), beforeReturn);
      // Who stood there before the cut has left, as far as anybody knows.
      await recorder.until(eventOf('one', 'known', 'exit'), beforeCut);

      for (const { camera, person } of gate.events()) {
        if (camera === 'one') expect(person === null || person.name === 'Person A').toBe(true);
        else expect(person).toBeNull();
      }
      expect(gate.events().filter(({ camera }) => camera === 'three')).toEqual([]);
      expect(recorder.messages.filter(({ topic, retained }) => topic.endsWith('/event') && retained)).toEqual([]);

      // The faces of the events are there, for whoever has the key.
      const exported = await gate.command('crops', 'export', 'faces');
      expect(exported.stdout).toMatch(/^[1-9]\d* pictures written to faces/m);

      daemon.signal('SIGTERM');
      await recorder.until(says('eyeline/gate/status', 'stopped'));
      expect((await daemon.finished()).code).toBe(0);
    });

    it('takes a new person up without a restart', async () => {
      gate.startDaemon();
      await recorder.until(eventOf('one', 'unknown'));
      expect((await gate.command('enroll', 'people')).code).toBe(0);
      const known = await recorder.until(eventOf('one', 'known'));
      expect(identityEvent.parse(JSON.parse(known.payload)).person?.name).toBe('Person A');

      const listed = await gate.command('gallery', 'list', '--json');
      expect(listed.stdout).toContain('Person A');
      expect((await gate.command('gallery', 'remove', 'Person A')).code).toBe(0);
      const removed = recorder.messages.length;
      await recorder.until(eventOf('one', 'unknown'), removed);
      expect(gate.events(removed).filter(({ person }) => person !== null).length).toBeLessThanOrEqual(1);
    });

    it('names a visitor from what it saw and forgets a visitor; goes by what is said of a track', async () => {
      const cli = async (...args: string[]) => {
        const { code, stdout, stderr } = await gate.command(...args);
        expect(code, stderr).toBe(0);
        return stdout;
      };
      gate.startDaemon();
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
