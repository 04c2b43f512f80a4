import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EyelineError } from '../../src/core/errors.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { CommandError, type CommandResponse, commandResponse, parseCommand } from '../../src/events/command.ts';
import { type CommandHandler, Commands } from '../../src/events/commands.ts';
import { type CommandedDevice, carryOut } from '../../src/events/device-commands.ts';
import type { MqttOutgoing } from '../../src/events/mqtt-connection.ts';
import { deviceTopics } from '../../src/events/topics.ts';

const topics = deviceTopics('eyeline', 'porch');
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('parseCommand', () => {
  it.each([
    [{ command: 'camera', camera: 'door', enabled: false }],
    [{ command: 'snapshot', camera: 'door', id: 'a-1' }],
    [{ command: 'gallery-sync' }],
    [{ command: 'settings', set: { cooldownMs: 0, minQuality: 0.5 } }],
  ])('takes %j', (request) => {
    expect(parseCommand(bytes(request))).toEqual(request);
  });

  it.each([
    ['', 'no JSON'],
    ['{"command":"camera"', 'no JSON'],
    [Buffer.from([0xff, 0xfe, 0x7b]), 'no JSON'],
    ['null', 'the request is not'],
    ['[]', 'the request is not'],
    [{ command: 'unlock' }, 'command is not'],
    [{ command: 'camera', camera: 'door' }, 'enabled is not'],
    [{ command: 'camera', camera: 'door', enabled: 'yes' }, 'enabled is not'],
    [{ command: 'snapshot', camera: 'door', shell: 'rm' }, 'the request has a field that is not known'],
    [{ command: 'settings', set: { threshold: 0 } }, 'set has a field that is not known'],
    [{ command: 'settings', set: { minQuality: 2 } }, 'set.minQuality is not'],
    [{ command: 'gallery-sync', id: '' }, 'id is not'],
    ['{"__proto__":{"command":"gallery-sync"}}', 'command is not'],
    [' '.repeat(5000), 'longer than'],
  ])('refuses %j', (payload, message) => {
    const parse = () => parseCommand(payload instanceof Buffer ? payload : bytes(payload));
    expect(parse).toThrow(expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining(message) }));
  });

  it('takes or refuses whatever there is, and tells nothing of what stood there', () => {
    const near = fc.record(
      {
        command: fc.oneof(fc.constantFrom('camera', 'snapshot', 'gallery-sync', 'settings'), fc.string()),
        camera: fc.anything(),
        enabled: fc.anything(),
        id: fc.anything(),
        set: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      near.map((value) => Buffer.from(JSON.stringify(value) ?? '')),
    );
    fc.assert(
      fc.property(payload, (drawn) => {
        try {
          const request = parseCommand(drawn);
          expect(parseCommand(bytes(request))).toEqual(request);
        } catch (error) {
          if (!(error instanceof CommandError)) throw error;
          expect(error.message.length).toBeLessThan(200);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('Commands', () => {
  function desk(handler: CommandHandler, allowed: ('camera' | 'settings' | 'snapshot')[] = ['camera']) {
    const sent: MqttOutgoing[] = [];
    let told = () => {};
    const commands = new Commands({
      topics,
      prefix: 'eyeline',
      discoveryPrefix: 'homeassistant',
      allowed,
      send: (message) => {
        sent.push(message);
        told();
      },
      logger: silentLogger,
    });
    commands.onCommand(handler);
    const ask = async (payload: unknown, responseTopic: string | null = null, retained = false) => {
      const answered = new Promise<void>((resolve) => {
        told = resolve;
      });
      const correlationData = Buffer.from('c');
      commands.take({ topic: topics.command, payload: bytes(payload), retained, responseTopic, correlationData });
      if (!retained) await answered;
      const last = sent.at(-1);
      const response = last && commandResponse.parse(JSON.parse(String(last.payload)));
      return { topic: last?.topic, correlation: last?.correlationData?.toString(), response };
    };
    return { commands, ask, sent };
  }
  const request = { command: 'camera', camera: 'door', enabled: true, id: 'x' };

  it('answers where it is asked to, with what belongs together', async () => {
    const { ask, commands } = desk(async () => ({ done: 1 }));
    const response: CommandResponse = {
      schema: 'eyeline.response/1',
      id: 'x',
      command: 'camera',
      ok: true,
      result: { done: 1 },
      error: null,
    };
    expect(await ask(request, 'hub/answers/7')).toEqual({ topic: 'hub/answers/7', correlation: 'c', response });
    expect(await ask(request)).toEqual({ topic: 'eyeline/porch/response', correlation: 'c', response });
    expect(commands.counters).toEqual({ requests: 2, refusedRequests: 0 });
  });

  it.each([
    'eyeline/porch/event',
    'eyeline/other/camera/door/enabled/set',
    'eyeline',
    'homeassistant/device/porch/config',
    '$SYS/broker',
    'a/+/b',
    '#',
    '',
    'x'.repeat(300),
  ])('answers on its own topic when asked to on %s', async (topic) => {
    const { ask } = desk(async () => ({}));
    expect((await ask(request, topic)).topic).toBe('eyeline/porch/response');
  });

  it.each<[string, unknown, string, string | null]>([
    ['what is not allowed', { command: 'settings', id: 'x' }, 'NOT_ALLOWED', 'settings'],
    ['what is malformed', { command: 'camera', id: 'x' }, 'MALFORMED', null],
  ])('refuses %s, by name, and carries nothing out', async (_, payload, code, command) => {
    const { ask, commands } = desk(async () => {
      throw new Error('must not be called');
    });
    expect((await ask(payload)).response).toMatchObject({ id: 'x', command, ok: false, result: null, error: { code } });
    expect(commands.counters).toEqual({ requests: 0, refusedRequests: 1 });
  });

  it('tells of a failure that it was one, not what it was', async () => {
    const { ask } = desk(async () => {
      throw new Error('secret path /etc/x');
    });
    const { response } = await ask(request);
    expect(response?.error?.code).toBe('FAILED');
    expect(JSON.stringify(response)).not.toContain('/etc/x');
  });

  it('does nothing of a retained request', async () => {
    const { ask, commands, sent } = desk(async () => ({}));
    await ask(request, null, true);
    expect([sent, commands.counters.refusedRequests]).toEqual([[], 1]);
  });

  it('refuses more than it can do at a time', async () => {
    const { ask, commands } = desk(() => new Promise(() => {}));
    for (let n = 0; n < 8; n++) {
      commands.take({
        topic: topics.command,
        payload: bytes(request),
        retained: false,
        responseTopic: null,
        correlationData: null,
      });
    }
    expect((await ask(request)).response?.error?.code).toBe('BUSY');
  });

  it('subscribes to nothing when nothing is allowed', () => {
    expect(desk(async () => ({}), []).commands.topics).toEqual([]);
  });
});

describe('carryOut', () => {
  function device(changes: Partial<CommandedDevice> = {}): CommandedDevice & { switched: boolean[] } {
    const switched: boolean[] = [];
    const camera = {
      setEnabled: (enabled: boolean) => switched.push(enabled),
      snapshot: async () => ({ topic: 't', width: 4, height: 2, capturedAtMs: 0 }),
    };
    return {
      switched,
      cameras: new Map([['door', camera]]),
      snapshots: true,
      syncGallery: null,
      deny: null,
      settings: { cooldownMs: 1000, minQuality: 0.2 },
      ...changes,
    };
  }

  it('takes note of whom a track is not', async () => {
    const told: unknown[] = [];
    const deny = (track: string, person?: string) => {
      if (track === 'gone') throw new EyelineError('VISITOR_UNKNOWN', 'not kept');
      told.push([track, person]);
      return person ?? 'ann';
    };
    expect(await carryOut({ command: 'deny', track: 'door-1' }, device({ deny }))).toEqual({
      track: 'door-1',
      person: 'ann',
    });
    await carryOut({ command: 'deny', track: 'door-2', person: 'bob' }, device({ deny }));
    expect(told).toEqual([
      ['door-1', undefined],
      ['door-2', 'bob'],
    ]);
    for (const [it, track] of [
      [device({ deny }), 'gone'],
      [device(), 'door-1'],
    ] as const) {
      await expect(carryOut({ command: 'deny', track }, it)).rejects.toMatchObject({ code: 'NOT_AVAILABLE' });
    }
  });

  it('switches cameras, takes pictures and changes settings', async () => {
    const it = device({ syncGallery: async () => ({ version: 9 }) });
    expect(await carryOut({ command: 'camera', camera: 'door', enabled: false }, it)).toEqual({
      camera: 'door',
      enabled: false,
    });
    expect(it.switched).toEqual([false]);
    expect(await carryOut({ command: 'snapshot', camera: 'door' }, it)).toEqual({
      camera: 'door',
      topic: 't',
      width: 4,
      height: 2,
      capturedAt: '1970-01-01T00:00:00.000Z',
    });
    expect(await carryOut({ command: 'settings', set: { cooldownMs: 5 } }, it)).toEqual({
      cooldownMs: 5,
      minQuality: 0.2,
    });
    expect(it.settings.cooldownMs).toBe(5);
    expect(await carryOut({ command: 'gallery-sync' }, it)).toEqual({ version: 9 });
  });

  it.each<[string, Parameters<typeof carryOut>[0], Partial<CommandedDevice>, string]>([
    ['a camera there is not', { command: 'camera', camera: 'x', enabled: true }, {}, 'UNKNOWN_CAMERA'],
    ['a picture that is not allowed', { command: 'snapshot', camera: 'door' }, { snapshots: false }, 'NOT_AVAILABLE'],
    ['a gallery with no source', { command: 'gallery-sync' }, {}, 'NOT_AVAILABLE'],
  ])('refuses %s', async (_, request, changes, code) => {
    await expect(carryOut(request, device(changes))).rejects.toMatchObject({ code });
  });
});
