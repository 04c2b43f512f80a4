import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { type IdentityEvent, identityEvent } from '../../src/events/identity-event.ts';
import { framesOf } from '../rig/films.ts';
import { Mosquitto } from '../rig/mosquitto.ts';
import { MqttRecorder, type Recorded } from '../rig/mqtt-recorder.ts';
import { Program, runProgram } from '../rig/program.ts';
import { sharedData } from '../rig/shared-data.ts';
import { StaticServer } from '../rig/static-server.ts';
import { tellFailure } from '../rig/tell-failure.ts';

const [enrolFrom, samePerson] = [sharedData('clips/again.mkv'), sharedData('clips/student.mkv')];
const DEVICES = ['north', 'south'];

describe.skipIf(!enrolFrom || !samePerson)('a fleet of two doors (needs ../shared/data)', () => {
  let folder: string;
  let broker: Mosquitto;
  let cameras: RtspServer;
  let store: StaticServer;
  let recorder: MqttRecorder;
  let daemons: Program[] = [];

  const eyeline = async (args: string[]) => {
    const done = await runProgram(args, { cwd: folder });
    expect(`${done.code} ${done.stderr}`, args.join(' ')).toMatch(/^0 /);
    return done.stdout;
  };
  const decided = (device: string, decision: string) => (message: Recorded) => {
    if (message.topic !== `eyeline/${device}/event`) return false;
    const event: IdentityEvent = identityEvent.parse(JSON.parse(message.payload));
    return event.decision === decision && event.type !== 'exit';
  };
  const synced = (device: string, wanted: (report: Record<string, unknown>) => boolean) => (message: Recorded) =>
    message.topic === `eyeline/${device}/gallery/sync` && wanted(JSON.parse(message.payload));
  const publish = (...more: string[]) =>
    eyeline(['gallery', 'publish', '-c', 'master.yaml', '--to', 'www', '--keys', 'keys', ...more]);

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-fleet-'));
    const portraits = join(folder, 'people', 'Person A');
    await mkdir(join(folder, 'www'));
    await framesOf(enrolFrom, 'fps=2', portraits);
    [broker, store] = await Promise.all([Mosquitto.start(), StaticServer.start(join(folder, 'www'))]);
    cameras = new RtspServer({ streams: { one: samePerson ?? '' } });
    await cameras.start();
    recorder = new MqttRecorder(broker.url);
    await recorder.start();
    const made = JSON.parse(await eyeline(['gallery', 'keygen', 'keys', '--json']));
    const site = 'harbour';
    const master = {
      device: { id: 'master', site },
      gallery: { file: 'master/gallery.sqlite' },
      mqtt: { url: broker.url },
    };
    await writeFile(join(folder, 'master.yaml'), stringify(master));
    for (const id of DEVICES) {
      const config = {
        device: { id, site },
        cameras: [{ id: 'one', source: cameras.url('one'), stallTimeoutMs: 4000 }],
        capture: { retry: { firstDelayMs: 300, maxDelayMs: 1000 } },
        recognition: { cooldownMs: 0 },
        visitors: { enabled: false },
        gallery: {
          file: `${id}/gallery.sqlite`,
          sync: { url: store.url, trust: [made.publicKey], keys: [{ file: 'keys/bundle.key' }], spreadMs: 0 },
        },
        mqtt: { url: broker.url, commands: ['gallery-sync'] },
      };
      await writeFile(join(folder, `${id}.yaml`), stringify(config));
    }
  });

  afterEach(async ({ task }) => {
    tellFailure(task, recorder, daemons);
    await Promise.all(daemons.map((it) => it.stop()));
    daemons = [];
    await recorder?.stop();
    await cameras?.stop();
    await store?.stop();
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('knows who was published, forgets who was deleted, and refuses what is forged, without a restart', async () => {
    daemons = DEVICES.map((id) => new Program(['run', '-c', `${id}.yaml`], { cwd: folder }));
    for (const id of DEVICES) await recorder.until(decided(id, 'unknown'));

    await eyeline(['enroll', '-c', 'master.yaml', 'people']);
    expect(await publish('--announce')).toContain('published version 1 for harbour: 1 people');
    for (const id of DEVICES) {
      await recorder.until(synced(id, ({ state, version }) => state === 'current' && version === 1));
      const known = await recorder.until(decided(id, 'known'));
      expect(identityEvent.parse(JSON.parse(known.payload)).person).toEqual({ id: 'person-a', name: 'Person A' });
    }

    // Somebody who may write to broker and store, but has other keys, offers everybody a version of their own.
    await eyeline(['gallery', 'keygen', 'forged']);
    await writeFile(join(folder, 'forged', 'bundle.key'), await readFile(join(folder, 'keys', 'bundle.key')));
    const good = await readFile(join(folder, 'www/sites/harbour/latest.json'));
    const beforeForged = recorder.messages.length;
    await eyeline([
      'gallery',
      'publish',
      '-c',
      'master.yaml',
      '--to',
      'www',
      '--keys',
      'forged',
      '--valid-days',
      '90',
      '--announce',
    ]);
    for (const id of DEVICES) {
      const refused = await recorder.until(
        synced(id, ({ state }) => state === 'refused'),
        beforeForged,
      );
      expect(JSON.parse(refused.payload)).toMatchObject({ code: 'BUNDLE_UNTRUSTED', version: 1 });
      const kept = JSON.parse(await eyeline(['gallery', 'list', '-c', `${id}.yaml`, '--json']));
      expect(kept.people.map((it: { id: string }) => it.id)).toEqual(['person-a']);
    }
    await writeFile(join(folder, 'www/sites/harbour/latest.json'), good);

    await eyeline(['gallery', 'remove', '-c', 'master.yaml', 'person-a']);
    const beforeDeletion = recorder.messages.length;
    expect(await publish('--announce')).toContain('1 deleted');
    for (const id of DEVICES) {
      const report = await recorder.until(
        synced(id, ({ state, version }) => state === 'current' && version !== 1),
        beforeDeletion,
      );
      const { deviceKey } = JSON.parse(report.payload);
      await writeFile(join(folder, `${id}.receipt`), report.payload);
      const checked = ['gallery', 'receipt', `${id}.receipt`, '-c', 'master.yaml', '--key', deviceKey, '--json'];
      const { receipts, missing } = JSON.parse(await eyeline(checked));
      expect(receipts).toMatchObject([{ device: id, site: 'harbour', people: [{ id: 'person-a' }] }]);
      expect(missing).toEqual([]);
      const listed = JSON.parse(await eyeline(['gallery', 'list', '-c', `${id}.yaml`, '--json']));
      expect(listed.people).toEqual([]);
    }

    // Whoever comes to the door now is a stranger: the streams are cut, so that they come anew.
    const beforeReturn = recorder.messages.length;
    await cameras.kill();
    await cameras.start();
    for (const id of DEVICES) await recorder.until(decided(id, 'unknown'), beforeReturn);

    const hub = await connectAsync(broker.url, { protocolVersion: 5 });
    await hub.publishAsync('eyeline/north/command', '{"command":"gallery-sync"}', { qos: 1 });
    const { payload } = await recorder.until(({ topic }) => topic === 'eyeline/north/response');
    expect(JSON.parse(payload)).toMatchObject({ ok: true, result: { version: expect.any(Number) } });
    await hub.endAsync();
    expect(await eyeline(['gallery', 'sync', '-c', 'south.yaml'])).toContain('is the newest');
  });
});
