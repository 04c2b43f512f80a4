import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redact } from '../../src/core/redact.ts';

it.each([
  ['open rtsp://admin:s3cret@10.0.0.4:554/live failed', 'open rtsp://***@10.0.0.4:554/live failed'],
  ['rtsp://admin:p@ss@host/x', 'rtsp://***@host/x'],
  ['mqtts://user@broker', 'mqtts://***@broker'],
  ['http://cam/snap?user=a&password=b&size=2', 'http://cam/snap?user=***&password=***&size=2'],
  [
    'rtspsrc location=x user-id=admin user-pw="a b" ! fakesink',
    'rtspsrc location=x user-id=*** user-pw=*** ! fakesink',
  ],
  ['no secret: rtsp://host/a@b', 'no secret: rtsp://host/a@b'],
  ['mail me@example.org', 'mail me@example.org'],
  ['rtsp://u:p/w?d#@cam/1', 'rtsp://***@cam/1'],
  ['\u001b[31mrtsp://u:p@cam', '\u001b[31mrtsp://***@cam'],
  ['at f (file:///srv/node_modules/@a/b/index.js:302:11)', 'at f (file:///srv/node_modules/@a/b/index.js:302:11)'],
])('%s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

it('never lets the password of a URL through', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9!$&()*+,;=:%._~@-]{6,20}$/);
  fc.assert(
    fc.property(word, word, (user, password) => {
      expect(redact(`opening rtsp://${user}:${password}@camera.local/stream now`)).toBe(
        'opening rtsp://***@camera.local/stream now',
      );
    }),
  );
});
