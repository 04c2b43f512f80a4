import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { identityEvent } from '../../src/events/identity-event.ts';
import { Mosquitto } from '../rig/mosquitto.ts';
import { MqttRecorder, type Recorded } from '../rig/mqtt-recorder.ts';
import { Program, runProgram } from '../rig/program.ts';
import { sharedData } from '../rig/shared-data.ts';
import { tellFailure } from '../rig/tell-failure.ts';

const run = promisify(execFile);
const [walker, other] = [sharedData('clips/walk.mkv'), sharedData('clips/bird.mkv')];
const SIZE = 'scale=1024:768:force_original_aspect_ratio=increase,crop=1024:768,setsar=1,fps=10,format=yuv420p';
/** Clips made of both; 0 is the walker, who turns her head to one side only, 1 somebody else. */
const CLIPS = {
  // What is mirrored turns to the other side.
  turns: '[0:v]split[a][b];[b]hflip[c];[a][c]concat=n=2[out]',
  front: '[1:v]null[out]',
  inTurn: '[0:v][1:v]concat=n=2[out]',
  together: '[0:v][1:v]hstack[out]',
};

describe.skipIf(!walker || !other)('enrolment before a camera (needs ../shared/data)', () => {
  let folder: string;
  let broker: Mosquitto;
  let server: RtspServer;
  let recorder: MqttRecorder;
  let program: Program;
  let daemon: Program | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-enrol-'));
    const scaled = `[0:v]${SIZE}[s0];[1:v]${SIZE}[s1];`;
    for (const [name, filter] of Object.entries(CLIPS)) {
      const graph = scaled + filter.replaceAll('[0:v]', '[s0]').replaceAll('[1:v]', '[s1]');
      const unused = ['[s0]', '[s1]'].filter((it) => !graph.slice(scaled.length).includes(it));
      const sinks = unused.map((it) => `;${it}nullsink`).join('');
      const inputs = ['-i', walker ?? '', '-i', other ?? ''];
      const encode = ['-map', '[out]', '-c:v', 'libx264', '-bf', '0', '-g', '10', join(folder, `${name}.mkv`)];
      await run('ffmpeg', ['-v', 'error', ...inputs, '-filter_complex', graph + sinks, ...encode]);
    }
    broker = await Mosquitto.start();
    const streams = Object.fromEntries(Object.keys(CLIPS).map((name) => [name, join(folder, `${name}.mkv`)]));
    server = new RtspServer({ streams });
    await server.start();
  });
  afterAll(async () => {
    await server?.stop();
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    const config = {
      device: { id: 'gate' },
      cameras: [{ id: 'door', source: server.url('turns'), stallTimeoutMs: 4000 }],
      recognition: { cooldownMs: 0 },
      gallery: { file: join(folder, 'gallery.sqlite'), keepCrops: true },
      visitors: { enabled: false },
      mqtt: { url: broker.url },
    };
    await writeFile(join(folder, 'eyeline.yaml'), stringify(config));
    recorder = new MqttRecorder(broker.url);
    await recorder.start();
  });
  afterEach(async ({ task }) => {
    tellFailure(task, recorder, [program, daemon]);
    await program?.stop();
    await daemon?.stop();
    daemon = undefined;
    await recorder?.stop();
    for (const end of ['', '-wal', '-shm']) await rm(join(folder, `gallery.sqlite${end}`), { force: true });
  });

  const enroll = async (...args: string[]) => {
    program = new Program(['enroll', '-c', 'eyeline.yaml', '--name', 'Person A', ...args], { cwd: folder });
    return await program.finished();
  };
  const gallery = async () => {
    const { stdout } = await runProgram(['gallery', 'list', '-c', 'eyeline.yaml', '--json'], { cwd: folder });
    return JSON.parse(stdout).people;
  };
  const decided = (decision: string) => (message: Recorded) => {
    if (message.topic !== 'eyeline/gate/event') return false;
    const event = identityEvent.parse(JSON.parse(message.payload));
    return event.decision === decision && event.type !== 'exit';
  };

  it('a running daemon, on the same camera, knows who was enrolled there', async () => {
    daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder });
    await recorder.until(decided('unknown'));
    const done = await enroll('--camera', 'door', '--consent', 'form 12', '--until', '2099-01-31', '--json');
    expect(done.code, done.stderr).toBe(0);
    expect(done.stderr).toContain('Turn your head');
    const result = JSON.parse(done.stdout);
    expect(result).toMatchObject({ person: { id: 'person-a', name: 'Person A' }, end: 'enough', missing: [] });
    expect(new Set(result.shots.map((it: { turn: string }) => it.turn))).toEqual(new Set(['front', 'left', 'right']));
    const known = await recorder.until(decided('known'));
    expect(identityEvent.parse(JSON.parse(known.payload)).person?.name).toBe('Person A');
    expect(await gallery()).toMatchObject([
      { id: 'person-a', consentNote: 'form 12', templates: result.templates, retainUntilMs: Date.parse('2099-02-01') },
    ]);

    // Under another name the same face is warned of.
    const twice = new Program(['enroll', '-c', 'eyeline.yaml', '--name', 'Person B', '--camera', server.url('turns')], {
      cwd: folder,
    });
    const { code, stderr } = await twice.finished();
    expect(stderr).toContain('warning   Person B looks like Person A (person-a');
    expect(code).toBe(0);
    // The shots are of the same kind as pictures: what is kept of them can be embedded again.
    const reembed = await runProgram(['gallery', 'reembed', '-c', 'eyeline.yaml', '--dry-run'], { cwd: folder });
    expect(reembed.code, reembed.stderr).toBe(0);
  });

  it.each([
    ['two people who come in turn', 'inTurn', '30', 'two people stood there in turn'],
    ['two people at once', 'together', '3', 'One person only'],
  ])('enrols nobody of %s', async (_, stream, seconds, reason) => {
    const { code, stderr } = await enroll('--camera', server.url(stream), '--seconds', seconds);
    expect(stderr).toContain(reason);
    expect(stderr).toContain('ENROLMENT_INCOMPLETE');
    expect(code).toBe(7);
    expect(await gallery()).toEqual([]);
  });

  it('interrupted enrols nobody', async () => {
    const finished = enroll('--camera', server.url('front'));
    await vi.waitFor(() => expect(program.stdout).toMatch(/^[1-9] shots? /m), { timeout: 120_000 });
    program.signal('SIGINT');
    const { code, stderr } = await finished;
    expect(stderr).toContain('nobody is enrolled');
    expect(code).toBe(130);
    expect(await gallery()).toEqual([]);
  });

  it('says why a camera cannot be opened, and which there are', async () => {
    const closed = await enroll('--camera', server.url('nowhere'));
    expect(closed.stderr).toContain('CAMERA_OPEN_FAILED');
    expect(closed.code).toBe(6);
    const unknown = await enroll('--camera', 'gate');
    expect(unknown.stderr).toContain('"gate" is no camera of the configuration (door)');
    expect(unknown.code).toBe(2);
  });
});
