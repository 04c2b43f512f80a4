import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { ConfigError } from '../../src/config/problems.ts';
import { EyelineError } from '../../src/core/errors.ts';

const parse = (text: string, env: NodeJS.ProcessEnv = {}) => parseConfig(text, { source: 'a.yaml', env });

function thrown(action: () => unknown): EyelineError {
  try {
    action();
  } catch (error) {
    if (error instanceof EyelineError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const CAMERA = '{id: door, source: rtsp://cam/1}';
const SECRET_FORMS = 'must be {file: path}, {credential: name}, {env: NAME} or text';

/** Each text of a file with every line of its message below the file's name. */
const REFUSED: [text: string, ...lines: string[]][] = [
  ['3', '(root): must be keys and values'],
  ['[mqtt]', '(root): must be keys and values'],
  ['mqqt: {}', 'mqqt: unknown key (did you mean "mqtt"?)'],
  ['mqtt: {urll: x}', 'mqtt.urll: unknown key (did you mean "url"?)'],
  ['mqtt: {tls: {CAFILE: x}}', 'mqtt.tls.CAFILE: unknown key (did you mean "caFile"?)'],
  ['mqtt: {something: x}', 'mqtt.something: unknown key'],
  ['mqtt: 3', 'mqtt: must be keys and values'],
  ['mqtt: {url: http://broker}', 'mqtt.url: must be an mqtt://, mqtts://, ws:// or wss:// URL'],
  ['mqtt: {url: mqtt://}', 'mqtt.url: must be an mqtt://, mqtts://, ws:// or wss:// URL'],
  ['mqtt: {url: 1883}', 'mqtt.url: must be text'],
  ['mqtt: {prefix: a/+}', 'mqtt.prefix: must be an MQTT topic without wildcards, blanks, "$" or "/" at its ends'],
  ['mqtt: {prefix: a/}', 'mqtt.prefix: must be an MQTT topic without wildcards, blanks, "$" or "/" at its ends'],
  ['mqtt: {keepAliveS: 1.5}', 'mqtt.keepAliveS: must be a whole number'],
  ['mqtt: {keepAliveS: 70000}', 'mqtt.keepAliveS: must be at most 65535'],
  ['mqtt: {username: ""}', 'mqtt.username: must not be empty'],
  ['mqtt: {enabled: yes}', 'mqtt.enabled: must be true or false'],
  ['mqtt: {password: {fil: x}}', `mqtt.password: ${SECRET_FORMS}`],
  ['mqtt: {password: 12}', `mqtt.password: ${SECRET_FORMS}`],
  ['mqtt: {password: {file: a, env: B}}', `mqtt.password: ${SECRET_FORMS}`],
  ['mqtt: {tls: {certFile: a.pem}}', 'mqtt.tls.keyFile: required with certFile'],
  ['mqtt: {tls: {keyFile: a.pem}}', 'mqtt.tls.certFile: required with keyFile'],
  ['mqtt: {reconnect: {maxDelayMs: 10}}', 'mqtt.reconnect.maxDelayMs: must not be less than firstDelayMs'],
  ['tracks: {lostAfterMs: 6000}', 'tracks.endAfterMs: must not be less than lostAfterMs'],
  ['mqtt: {reconnect: {jitter: 2}}', 'mqtt.reconnect.jitter: must be at most 1'],
  ['capture: {retry: {factor: 0}}', 'capture.retry.factor: must be at least 1'],
  [
    'device: {id: "Front Door"}',
    'device.id: must be lower-case letters and digits with single "-" or "_" between them',
  ],
  [`device: {id: ${'a'.repeat(65)}}`, 'device.id: must have at most 64 characters'],
  ['cameras: 1', 'cameras: must be a list'],
  ['cameras: [1]', 'cameras[0]: must be keys and values'],
  ['cameras: [{id: a}]', 'cameras[0].source: required'],
  ['cameras: [{source: a.mp4}]', 'cameras[0].id: required'],
  ['cameras: [{id: a, source: ""}]', 'cameras[0].source: must not be empty'],
  [
    'cameras: [{id: a, source: "ftp://x/y"}]',
    'cameras[0].source: must be an rtsp, rtsps, http or https URL, a file, /dev/videoN or a GStreamer pipeline',
  ],
  ['cameras: [{id: a, source: x, fps: 0}]', 'cameras[0].fps: must be at least 0.1'],
  ['cameras: [{id: a, source: x, fps: 61}]', 'cameras[0].fps: must be at most 60'],
  ['cameras: [{id: a, source: x, fps: .nan}]', 'cameras[0].fps: must be a number'],
  ['cameras: [{id: a, source: x, backend: vlc}]', 'cameras[0].backend: must be one of auto, ffmpeg, gstreamer'],
  ['cameras: [{id: a, source: x, openTimeoutMs: 0}]', 'cameras[0].openTimeoutMs: must be at least 1'],
  ['cameras: [{id: a, source: x, stallTimeoutMs: 1e9}]', 'cameras[0].stallTimeoutMs: must be at most 86400000'],
  ['cameras: [{id: a, source: x, trasnport: udp}]', 'cameras[0].trasnport: unknown key (did you mean "transport"?)'],
  [`cameras: [${CAMERA}, ${CAMERA}]`, 'cameras[1].id: "door" is the id of cameras[0] already'],
  [
    'cameras: [{id: a, source: x.mp4, credentials: {username: u, password: p}}]',
    'cameras[0].credentials: only an rtsp, rtsps, http or https source takes them',
  ],
  [
    'cameras: [{id: a, source: "rtsp://u@h/", credentials: {username: u, password: p}}]',
    'cameras[0].credentials: the source already holds a user name',
  ],
  [
    'cameras: [{id: a, source: "rtsp://h/", credentials: {usrname: u, password: p}}]',
    'cameras[0].credentials.username: required',
    'cameras[0].credentials.usrname: unknown key (did you mean "username"?)',
  ],
  ['inference: {providers: []}', 'inference.providers: must not be empty'],
  ['inference: {providers: [gpu]}', 'inference.providers[0]: must be one of tensorrt, cuda, webgpu, cpu'],
  ['inference: {providers: [cpu, cpu]}', 'inference.providers: must not name a provider twice'],
  ['inference: {threads: -1}', 'inference.threads: must be at least 0'],
  ['recognition: {falseAcceptRate: 1}', 'recognition.falseAcceptRate: must be at most 0.5'],
  ['recognition: {falseAcceptRate: low}', 'recognition.falseAcceptRate: must be a number'],
  [
    'recognition: {threshold: 0.48}',
    'recognition.threshold: is gone: say with recognition.falseAcceptRate how many tracks of strangers may be named (1e-4: one in 10,000)',
  ],
  ['recognition: {agreeingFrames: 3}', 'recognition.agreeingFrames: is called recognition.minFrames now'],
  [
    'tracks: {sameFace: 0.55}',
    'tracks.sameFace: is gone: say with tracks.sameFaceRate how seldom two people may be that alike (1e-5)',
  ],
  ['log: {level: trace}', 'log.level: must be one of debug, info, warn, error'],
  ['health: {stallAfterMs: 10}', 'health.stallAfterMs: must be at least 1000'],
];

describe('a file that is refused', () => {
  it.each(REFUSED)('%s', (text, ...lines) => {
    const error = thrown(() => parse(text));
    expect(error.code).toBe('CONFIG_INVALID');
    expect(error.message.split('\n')).toEqual(['a.yaml:', ...lines.map((line) => `  ${line}`)]);
  });

  it('tells all errors at once, checks across keys among them', () => {
    const error = thrown(() =>
      parse(`
device: {id: UP}
cameras: [${CAMERA}, {id: door, source: 3, colour: blue}]
mqtt: {urll: x, tls: {certFile: a.pem, keyfile: b.pem}, reconnect: {maxDelayMs: 1, factor: x}}
nothing: 1`),
    );
    expect(error).toBeInstanceOf(ConfigError);
    expect(error instanceof ConfigError && error.problems.map(({ path }) => path).sort()).toEqual([
      'cameras[1].colour',
      'cameras[1].id',
      'cameras[1].source',
      'device.id',
      'mqtt.reconnect.factor',
      'mqtt.reconnect.maxDelayMs',
      'mqtt.tls.keyFile',
      'mqtt.tls.keyfile',
      'mqtt.urll',
      'nothing',
    ]);
  });

  it('never repeats a value', () => {
    const error = thrown(() =>
      parse(
        'mqtt: {password: {word: hunter2}, url: "http://u:hunter2@h"}\ncameras: [{id: a, source: "x://u:hunter2@h"}]',
      ),
    );
    expect(error.message).not.toContain('hunter2');
  });
});

describe('a file that is no YAML', () => {
  it.each([
    ['mqtt: {url: x', /^a\.yaml:1:14: /],
    ['mqtt:\n  url: a\n  url: b', /^a\.yaml:3:3: Map keys must be unique$/],
    ['log: {level: info}\nlog: {level: warn}', /^a\.yaml:2:1: Map keys must be unique$/],
    ['mqtt:\n\turl: a', /^a\.yaml:2:1: Tabs are not allowed as indentation$/],
    ['mqtt:\n  password: !secret x', /^a\.yaml:2:13: Unresolved tag: !secret$/],
  ])('%j is told with line and column', (text, message) => {
    const error = thrown(() => parse(text));
    expect(error.code).toBe('CONFIG_UNREADABLE');
    expect(error.message).toMatch(message);
  });
});

describe('what is accepted', () => {
  it('fills in defaults; empty sections count as left out', () => {
    const { config } = parse('mqtt:\ncapture:\n  retry:\ncameras: []');
    expect(config).toEqual(parse('').config);
    expect(config.mqtt.url).toBe('mqtt://localhost:1883');
    expect(config.capture.retry).toEqual({ firstDelayMs: 1000, maxDelayMs: 30_000, factor: 2, jitter: 0.3 });
  });

  it('names a camera by its id unless told', () => {
    const { config } = parse(`cameras: [${CAMERA}, {id: yard, name: Back yard, source: /dev/video0}]`);
    expect(config.cameras.map(({ name }) => name)).toEqual(['door', 'Back yard']);
  });

  it.each([
    'rtsp://10.0.0.2:554/stream?channel=1',
    'RTSPS://cam/1',
    'https://cam/mjpg',
    'clips/a b.mkv',
    '/dev/video0',
    'rtspsrc location=rtsp://cam/1 ! decodebin ! videoconvert ! appsink',
  ])('source %s', (source) => {
    const { config } = parse(`cameras: [{id: a, source: ${JSON.stringify(source)}}]`);
    expect(config.cameras[0]?.source).toBe(source);
  });
});

describe('environment', () => {
  it('overrides keys of the file and fills keys it does not have', () => {
    const { config, warnings } = parse('mqtt: {url: mqtt://file, keepAliveS: 3}\nlog:', {
      EYELINE_MQTT_URL: 'mqtts://env:8883',
      EYELINE_MQTT_KEEP_ALIVE_S: '20',
      EYELINE_MQTT_ENABLED: 'false',
      EYELINE_MQTT_USERNAME: '1234',
      EYELINE_MQTT_CLIENT_ID: 'null',
      EYELINE_MQTT_TLS_CA_FILE: '/ca.pem',
      EYELINE_LOG_LEVEL: 'warn',
      EYELINE_MODELS_DIR: 'm: n',
      EYELINE_RECOGNITION_FALSE_ACCEPT_RATE: '0.001',
      EYELINE_INFERENCE_PROVIDERS: '[cuda, cpu]',
      EYELINE_CAPTURE_RETRY_FIRST_DELAY_MS: '500',
      EYELINE_CAMERAS: `[${CAMERA}]`,
      EYELINE_GALLERY_FILE: '',
      PATH: '/bin',
    });
    expect(warnings).toEqual([]);
    expect(config.mqtt).toMatchObject({
      url: 'mqtts://env:8883',
      keepAliveS: 20,
      enabled: false,
      username: '1234',
      clientId: null,
      tls: { caFile: '/ca.pem' },
    });
    expect(config.log.level).toBe('warn');
    expect(config.models.dir).toBe('m: n');
    expect(config.recognition.falseAcceptRate).toBe(0.001);
    expect(config.inference.providers).toEqual(['cuda', 'cpu']);
    expect(config.capture.retry.firstDelayMs).toBe(500);
    expect(config.cameras.map(({ id }) => id)).toEqual(['door']);
    expect(config.gallery.file).toBe('data/gallery.sqlite');
  });

  it('leaves a secret where it is', () => {
    const { config } = parse('', { EYELINE_MQTT_PASSWORD: 'hunter2', EYELINE_MQTT_TLS_KEY_PASSWORD: '{file: /k}' });
    expect(config.mqtt.password).toEqual({ env: 'EYELINE_MQTT_PASSWORD' });
    expect(config.mqtt.tls.keyPassword).toEqual({ file: '/k' });
    expect(JSON.stringify(config)).not.toContain('hunter2');
  });

  it('names the variable of a wrong value', () => {
    const error = thrown(() =>
      parse('mqtt: {keepAliveS: x}', {
        EYELINE_MQTT_URL: 'http://x',
        EYELINE_INFERENCE_PROVIDERS: '[gpu]',
        EYELINE_EVENTS_BUFFER_MAX: '{',
      }),
    );
    expect(error.message.split('\n')).toEqual([
      'a.yaml:',
      '  inference.providers[0] (EYELINE_INFERENCE_PROVIDERS): must be one of tensorrt, cuda, webgpu, cpu',
      '  mqtt.url (EYELINE_MQTT_URL): must be an mqtt://, mqtts://, ws:// or wss:// URL',
      '  mqtt.keepAliveS: must be a number',
      '  events.bufferMax (EYELINE_EVENTS_BUFFER_MAX): is not YAML',
    ]);
  });

  it('warns of variables that set nothing', () => {
    expect(parse('', { EYELINE_MQTT_ULR: 'x', EYELINE_SOMETHING_ELSE_ALTOGETHER: 'x' }).warnings).toEqual([
      'EYELINE_MQTT_ULR: sets no key (did you mean "EYELINE_MQTT_URL"?)',
      'EYELINE_SOMETHING_ELSE_ALTOGETHER: sets no key',
    ]);
  });
});

it('warns of what is unwise without repeating it', () => {
  const { warnings } = parse(`
cameras:
  - {id: a, source: 'rtsp://u:hunter2@h'}
  - {id: b, source: 'rtsp://h', credentials: {username: u, password: hunter2}}
mqtt: {url: 'mqtts://u:hunter2@h', password: hunter2, tls: {keyPassword: hunter2, verify: false}}`);
  const plain = 'is written in plain text; use {file: path}, {credential: name} or {env: NAME}';
  expect(warnings).toEqual([
    'cameras[0].source: holds a user name or password; use cameras[0].credentials',
    `cameras[1].credentials.password: ${plain}`,
    'mqtt.url: holds a user name or password; use mqtt.username and mqtt.password',
    `mqtt.password: ${plain}`,
    `mqtt.tls.keyPassword: ${plain}`,
    'mqtt.tls.verify: anybody can pose as the broker',
  ]);
});

describe('files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'eyeline-config-'));
    await writeFile(join(folder, 'good.yaml'), 'device: {id: porch}');
    await writeFile(join(folder, 'bad.yaml'), 'device: {id: 1}');
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads the one named, else the one of EYELINE_CONFIG', async () => {
    const file = join(folder, 'good.yaml');
    for (const given of [
      { file, env: {} },
      { env: { EYELINE_CONFIG: file } },
      { file, env: { EYELINE_CONFIG: 'no' } },
    ]) {
      const { config, source } = await loadConfig(given);
      expect(config.device.id).toBe('porch');
      expect(source).toBe(file);
    }
  });

  it('names the file of an error', async () => {
    const file = join(folder, 'bad.yaml');
    await expect(loadConfig({ file, env: {} })).rejects.toThrow(`${file}:\n  device.id: must be text`);
    const missing = join(folder, 'missing.yaml');
    await expect(loadConfig({ file: missing, env: {} })).rejects.toThrow(`${missing}: cannot be read (ENOENT)`);
    await expect(loadConfig({ file: folder, env: {} })).rejects.toMatchObject({ code: 'CONFIG_UNREADABLE' });
  });
});
