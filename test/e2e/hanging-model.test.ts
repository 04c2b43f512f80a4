import { execFile } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { makeCounterClip } from '../rig/counter-clip.ts';
import { Mosquitto } from '../rig/mosquitto.ts';
import { MqttRecorder, type Recorded } from '../rig/mqtt-recorder.ts';
import { Program } from '../rig/program.ts';

const HANGING_MODEL = fileURLToPath(new URL('../rig/hanging-model.cjs', import.meta.url));

const says = (topic: string, payload: string) => (message: Recorded) =>
  message.topic === topic && message.payload === payload;

/** A folder with a daemon's configuration, and a FIFO to make the runs of its models hang. */
async function hangingSetup() {
  const folder = await mkdtemp(join(tmpdir(), 'eyeline-hang-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const broker = await Mosquitto.start();
  onTestFinished(() => broker.stop());
  const recorder = new MqttRecorder(broker.url);
  await recorder.start();
  onTestFinished(() => recorder.stop());
  const clip = join(folder, 'clip.mkv');
  await makeCounterClip(clip, { width: 192, height: 128, frames: 20, fps: 10 });
  const config = {
    device: { id: 'gate' },
    cameras: [{ id: 'door', source: clip, loop: true, motion: { enabled: false } }],
    gallery: { file: join(folder, 'gallery.sqlite') },
    health: { stallAfterMs: 8000 },
    inference: { workers: 1 },
    mqtt: { url: broker.url },
  };
  await writeFile(join(folder, 'eyeline.yaml'), stringify(config));
  const fifo = join(folder, 'hang');
  const env = { NODE_OPTIONS: `--require=${HANGING_MODEL}`, EYELINE_TEST_HANG: fifo };
  return { folder, fifo, env, recorder };
}

/** Makes runs hang from now on. */
async function makeHang(fifo: string): Promise<void> {
  await promisify(execFile)('mkfifo', [fifo]);
}

/** Resolves when a run hangs. */
async function hanging(fifo: string): Promise<void> {
  // Opens when a run has opened the other end.
  const otherEnd = await open(fifo, 'w');
  onTestFinished(() => otherEnd.close());
}

/** A daemon that has told `online`, and all of whose models' runs hang in native code. */
async function hangingDaemon() {
  const { env, fifo, folder, recorder } = await hangingSetup();
  const daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder, env });
  onTestFinished(() => daemon.stop());
  await recorder.until(says('eyeline/gate/status', 'online'));
  await makeHang(fifo);
  await hanging(fifo);
  return { daemon, recorder };
}

it('ends a daemon whose model hangs: the broker is told, then it is killed, since its thread cannot be ended', async () => {
  const { daemon, recorder } = await hangingDaemon();
  await recorder.until(says('eyeline/gate/status', 'stopped'));
  const { signal, stderr, stdout } = await daemon.finished();
  expect(signal).toBe('SIGKILL');
  expect(stderr).toContain('no progress: frame of door [STALE_PROGRESS]');
  expect(stdout).toContain('stopping the models takes longer than 2000 ms: it hangs and is left behind');
});

it('ends on SIGTERM while a model hangs, and at once with a second Ctrl-C', async () => {
  const told = await hangingDaemon();
  told.daemon.signal('SIGTERM');
  await told.recorder.until(says('eyeline/gate/status', 'stopped'));
  expect((await told.daemon.finished()).signal).toBe('SIGKILL');

  const { daemon } = await hangingDaemon();
  daemon.signal('SIGINT');
  await daemon.printed('"msg":"stopping"');
  daemon.signal('SIGINT');
  expect((await daemon.finished()).signal).toBe('SIGINT');
});

it('ends on SIGTERM while a model hangs that is being opened', async () => {
  const { env, fifo, folder } = await hangingSetup();
  await makeHang(fifo);
  const daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: folder, env });
  onTestFinished(() => daemon.stop());
  await hanging(fifo);
  daemon.signal('SIGTERM');
  const { signal, stdout } = await daemon.finished();
  expect(signal).toBe('SIGKILL');
  expect(stdout).toContain('"msg":"stopping before the models are open"');
});
