import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redact, redactUrl } from '../../src/core/redact.ts';

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
  [`mqtt://user:pa'ss@broker: refused`, 'mqtt://***@broker: refused'],
  [`"rtsp://us'er:pa"ss@cam/1" failed`, '"rtsp://***@cam/1" failed'],
  [`http://cam/snap?password=b'c"d&size=2`, 'http://cam/snap?password=***&size=2'],
  ['souphttpsrc user-pw="a\\"b c" ! fakesink', 'souphttpsrc user-pw=*** ! fakesink'],
  ["rtspsrc user-id = admin user-pw='a b' ! fakesink", 'rtspsrc user-id=*** user-pw=*** ! fakesink'],
  ['rtsp://cam/user=admin_password=s3cret_channel=1_stream=0.sdp?real_stream failed', 'rtsp://cam/user=*** failed'],
  ['rtsp://cam/user=admin&password=s3cret&channel=1', 'rtsp://cam/user=***&password=***&channel=1'],
  [
    'http://cam/videostream.cgi?loginuse=admin&loginpas=s3cret&rate=0',
    'http://cam/videostream.cgi?loginuse=***&loginpas=***&rate=0',
  ],
  ['http://cam/snapshot.cgi?usr=admin&pwd=s3cret', 'http://cam/snapshot.cgi?usr=***&pwd=***'],
  ['\u001b[31mrtsp://u:p@cam', '\u001b[31mrtsp://***@cam'],
  ['at f (file:///srv/node_modules/@a/b/index.js:302:11)', 'at f (file:///srv/node_modules/@a/b/index.js:302:11)'],
])('%s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

it('never lets the password of a URL through', () => {
  const word = fc.stringMatching(/^[A-Za-z0-9!$&()*+,;=:%._~@'"-]{6,20}$/);
  fc.assert(
    fc.property(word, word, (user, password) => {
      expect(redact(`opening rtsp://${user}:${password}@camera.local/stream now`)).toBe(
        'opening rtsp://***@camera.local/stream now',
      );
    }),
  );
});

it.each([
  ['mqtt://broker:1883', 'mqtt://broker:1883'],
  [`mqtt://user:pa'ss@broker`, 'mqtt://***@broker'],
  ['mqtts://us er:pa ss"@broker:8883', 'mqtts://***@broker:8883'],
  [`wss://:"secret"@broker/mqtt?token=x'y`, 'wss://***@broker/mqtt?token=***'],
  ['rtsp://u:p/w?d#@cam/1', 'rtsp://***@cam/1'],
  ['rtsp://u:80/pa@ss@cam/1', 'rtsp://***@cam/1'],
  ['rtspsrc location=rtsp://u:p@cam/1 ! fakesink', 'rtspsrc location=rtsp://***@cam/1 ! fakesink'],
  ['/films/a b.mkv', '/films/a b.mkv'],
  ['file:///films/@a/b c.mkv', 'file:///films/@a/b c.mkv'],
])('shows the URL %s without secrets', (url, expected) => {
  expect(redactUrl(url)).toBe(expected);
});

it('never shows the password of a URL it is given, whatever it is', () => {
  const word = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).filter((text) => !/[/?#]/.test(text));
  fc.assert(
    fc.property(word, (password) => {
      expect(redactUrl(`mqtt://user:${password}@broker.lan:1883`)).toBe('mqtt://***@broker.lan:1883');
    }),
  );
});
