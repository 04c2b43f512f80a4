import { closeSync, openSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import { EyelineError } from '../../src/core/errors.ts';
import { createLogger, logDestination } from '../../src/platform/logger.ts';

function logged(level: 'debug' | 'info' | 'warn' | 'error' = 'debug') {
  const lines: string[] = [];
  return { logger: createLogger({ level, destination: { write: (line) => lines.push(line) } }), lines };
}

it('writes one JSON object a line', () => {
  const { logger, lines } = logged();
  logger.warn({ camera: 'door', ms: 12, box: [1, 2], at: new Date(0), nothing: undefined }, '100%s done');
  expect(lines).toHaveLength(1);
  expect(lines[0]?.endsWith('\n')).toBe(true);
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(rest).toEqual({
    level: 'warn',
    camera: 'door',
    ms: 12,
    box: [1, 2],
    at: '1970-01-01T00:00:00.000Z',
    msg: '100%s done',
  });
});

it('leaves out what is below its level', () => {
  const { logger, lines } = logged('warn');
  logger.debug({}, 'a');
  logger.info({}, 'b');
  logger.warn({}, 'c');
  logger.error({}, 'd');
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['c', 'd']);
});

it('writes errors with code, help, stack and cause', () => {
  const { logger, lines } = logged();
  const cause = Object.assign(new Error('refused by mqtt://u:hunter2@h'), { code: 'ECONNREFUSED' });
  logger.error({ err: new EyelineError('MQTT_UNREACHABLE', 'no broker', { cause }) }, 'mqtt');
  const { err } = JSON.parse(lines[0] ?? '');
  expect(err).toMatchObject({
    type: 'EyelineError',
    code: 'MQTT_UNREACHABLE',
    message: 'no broker',
    help: 'Check the broker URL, the credentials and the certificates.',
    stack: expect.stringContaining('logger.test.ts'),
    cause: { type: 'Error', code: 'ECONNREFUSED', message: 'refused by mqtt://***@h' },
  });
  logger.error(new Error('bare'), 'mqtt');
  expect(JSON.parse(lines[1] ?? '').err.message).toBe('bare');
});

it('names what is no data', () => {
  const { logger, lines } = logged();
  const ring: Record<string, unknown> = {
    big: 5n,
    bytes: new Float32Array(3),
    call: () => 1,
    map: new Map([['a', 1]]),
  };
  ring.self = ring;
  logger.info(ring, 'x');
  const { time, ...rest } = JSON.parse(lines[0] ?? '');
  expect(rest).toEqual({
    level: 'info',
    big: '5',
    bytes: '[Float32Array of 12 bytes]',
    map: { a: 1 },
    self: '[circular]',
    msg: 'x',
  });
});

it('never writes credentials, wherever they are', () => {
  // Characters people put into passwords without encoding them are among these; a blank ends a URL.
  const word = fc.stringMatching(/^[A-Za-z0-9!$%&()*+,;=:@/?#._~'"-]{1,20}$/).map((it) => `S${it}S`);
  const url = fc
    .record({
      scheme: fc.constantFrom('rtsp', 'rtsps', 'mqtt', 'mqtts', 'https', 'RTSP'),
      user: fc.stringMatching(/^[a-z]{1,8}$/),
      secret: word,
      host: fc.constantFrom('cam', '10.0.0.2:554', '[fe80::1]:8883'),
      path: fc.constantFrom('', '/', '/a/b?c=d#e'),
    })
    .map(({ scheme, user, secret, host, path }) => ({ secret, text: `${scheme}://${user}:${secret}@${host}${path}` }));
  const quoted = fc.stringMatching(/^[A-Za-z0-9 !$%&]{1,20}$/).map((it) => `S${it}S`);
  const pipeline = quoted.map((secret) => ({
    secret,
    text: `rtspsrc location=rtsp://h user-id="admin" user-pw="${secret}" ! appsink`,
  }));
  const query = fc
    .stringMatching(/^[A-Za-z0-9!$%()*+,:@/.~'"-]{1,20}$/)
    .map((it) => ({ secret: `S${it}S`, text: `http://cam/mjpg?user=u&password=S${it}S&x=1` }));
  fc.assert(
    fc.property(fc.oneof(url, pipeline, query), ({ secret, text }) => {
      const { logger, lines } = logged();
      const error = new Error(`cannot open ${text} now`, { cause: `because of ${text}` });
      Object.assign(error, { address: text });
      logger.info(
        { text, deep: { list: [text, { text }], [text]: 1 }, error, map: new Map([['a', text]]) },
        `at ${text}`,
      );
      logger.error(error, text);
      expect(lines).toHaveLength(2);
      const written = lines.map((line) => JSON.stringify(JSON.parse(line))).join('');
      expect(written).not.toContain(JSON.stringify(secret).slice(1, -1));
      expect(written).not.toContain(encodeURIComponent(secret));
    }),
    { numRuns: 500 },
  );
});

it('hides values by their name', () => {
  const { logger, lines } = logged();
  logger.info(
    { mqtt: { password: 'hunter2', keyPassword: { env: 'hunter2' } }, token: 'hunter2', PASSWD: 'hunter2' },
    'x',
  );
  expect(lines[0]).not.toContain('hunter2');
});

it.skipIf(process.platform !== 'linux')('goes on when lines cannot be written, as on a full disk (needs Linux)', () => {
  const fd = openSync('/dev/full', 'w');
  onTestFinished(() => closeSync(fd));
  const logger = createLogger({ level: 'info', destination: logDestination(fd) });
  for (let line = 0; line < 3; line++) expect(() => logger.info({ line }, 'a line')).not.toThrow();
});
