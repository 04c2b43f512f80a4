import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunnerTestCase } from 'vitest';
import { stringify } from 'yaml';
import { RtspServer } from '../../src/commands/demo/rtsp-server.ts';
import { type IdentityEvent, identityEvent } from '../../src/events/identity-event.ts';
import { Mosquitto } from './mosquitto.ts';
import { MqttRecorder, type Recorded } from './mqtt-recorder.ts';
import { Program, runProgram } from './program.ts';
import { tellFailure } from './tell-failure.ts';

/** A device `gate` in a folder of its own: broker, cameras that stream films, the daemon, and what a subscriber hears. */
export class Gate {
  readonly folder: string;
  readonly broker: Mosquitto;
  readonly server: RtspServer;
  readonly recorder: MqttRecorder;
  #daemon: Program | undefined;

  private constructor(folder: string, broker: Mosquitto, server: RtspServer) {
    this.folder = folder;
    this.broker = broker;
    this.server = server;
    this.recorder = new MqttRecorder(broker.url);
  }

  /** A folder for what a test makes before its cameras can stream. */
  static async folder(): Promise<string> {
    return await mkdtemp(join(tmpdir(), 'eyeline-e2e-'));
  }

  /** @param streams films by the camera that streams them */
  static async open(folder: string, streams: Readonly<Record<string, string>>): Promise<Gate> {
    const broker = await Mosquitto.start();
    const server = new RtspServer({ streams });
    await server.start();
    const gate = new Gate(folder, broker, server);
    await gate.recorder.start();
    return gate;
  }

  /** Writes `eyeline.yaml`: the cameras, and what `more` says; of cameras all get `camera`. */
  async configure(cameras: readonly string[], more: object, camera: object = {}): Promise<void> {
    const config = {
      device: { id: 'gate' },
      cameras: cameras.map((id) => ({ id, source: this.server.url(id), ...camera })),
      gallery: { file: join(this.folder, 'gallery.sqlite') },
      mqtt: { url: this.broker.url },
      ...more,
    };
    await writeFile(join(this.folder, 'eyeline.yaml'), stringify(config));
  }

  /** Runs a command with the configuration to its end. */
  async command(...args: string[]) {
    return await runProgram([...args, '-c', 'eyeline.yaml'], { cwd: this.folder });
  }

  startDaemon(): Program {
    this.#daemon = new Program(['run', '-c', 'eyeline.yaml'], { cwd: this.folder });
    return this.#daemon;
  }

  /** Identity events heard, from the message `from` on. */
  events(from = 0): IdentityEvent[] {
    return this.recorder.messages.slice(from).flatMap((message) => eventIn(message) ?? []);
  }

  /** Ends all and tells what a test that failed last saw. */
  async close(task: Readonly<RunnerTestCase>): Promise<void> {
    tellFailure(task, this.recorder, [this.#daemon]);
    await this.#daemon?.stop();
    await this.recorder.stop();
    await this.server.stop();
    await this.broker.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The identity event of a message; null for another message. */
export function eventIn({ topic, payload }: Recorded): IdentityEvent | null {
  return topic === 'eyeline/gate/event' ? identityEvent.parse(JSON.parse(payload)) : null;
}
