import { describe, expect, it } from 'vitest';
import { ffmpegOptions, type SourceOptions, sourceRequest, withCredentials } from '../../src/capture/camera-source.ts';
import { redact } from '../../src/core/redact.ts';

const camera = (source: string, more: Partial<SourceOptions> = {}): SourceOptions => ({
  source,
  backend: 'auto',
  transport: 'tcp',
  loop: false,
  ...more,
});

describe('sourceRequest', () => {
  it.each([
    ['rtsp://cam/1', 'ffmpeg', false],
    ['rtsps://cam/1', 'ffmpeg', false],
    ['http://cam/mjpeg', 'ffmpeg', false],
    ['/dev/video0', 'v4l2', false],
    ['/var/clips/door.mkv', 'ffmpeg', true],
    ['clips/door.mkv', 'ffmpeg', true],
    ['nvarguscamerasrc ! nvvidconv ! appsink', 'gstreamer', false],
  ] as const)('opens %s with %s', (source, api, file) => {
    expect(sourceRequest(camera(source))).toEqual({ target: source, api, file, loop: false });
  });

  it('takes a file URL for the file it names', () => {
    expect(sourceRequest(camera('file:///var/my%20clips/a.mkv')).target).toBe('/var/my clips/a.mkv');
  });

  it('loops files only', () => {
    expect(sourceRequest(camera('a.mkv', { loop: true })).loop).toBe(true);
    expect(sourceRequest(camera('rtsp://cam/1', { loop: true })).loop).toBe(false);
  });

  it('makes a pipeline of a URL for GStreamer', () => {
    const credentials = { username: 'door', password: 'a"b\\c' };
    const request = sourceRequest(camera('rtsp://cam/1', { backend: 'gstreamer', transport: 'udp', credentials }));
    expect(request).toMatchObject({ api: 'gstreamer', file: false });
    expect(request.target).toMatch(/^rtspsrc location="rtsp:\/\/door:a%22b%5Cc@cam\/1" protocols=udp latency=200 /);
    expect(request.target).toMatch(/ ! appsink sync=false max-buffers=1 drop=true$/);
    expect(redact(request.target)).not.toMatch(/door|%22/);
  });

  it('escapes what would end a value in a pipeline', () => {
    const { target } = sourceRequest(camera('clips/"x" \\ y.mkv', { backend: 'gstreamer' }));
    expect(target).toContain('filesrc location="clips/\\"x\\" \\\\ y.mkv" !');
  });
});

describe('withCredentials', () => {
  it('percent-encodes what would break the URL', () => {
    const url = withCredentials('rtsp://cam:554/1?a=b', { username: 'do:or', password: "p@/?#'$&! ü" });
    expect(url).toBe('rtsp://do%3Aor:p%40%2F%3F%23%27%24%26%21%20%C3%BC@cam:554/1?a=b');
    expect(redact(url)).toBe('rtsp://***@cam:554/1?a=b');
  });

  it('leaves a URL alone that has a user name, and any without credentials', () => {
    const credentials = { username: 'a', password: 'b' };
    expect(withCredentials('rtsp://x:y@cam/1', credentials)).toBe('rtsp://x:y@cam/1');
    expect(withCredentials('rtsp://cam/1?mail=x@y', credentials)).toBe('rtsp://a:b@cam/1?mail=x@y');
    expect(withCredentials('rtsp://cam/1', null)).toBe('rtsp://cam/1');
  });
});

it('gives FFmpeg options for network streams only', () => {
  expect(ffmpegOptions({ source: 'rtsp://cam/1', transport: 'udp' })).toContain('rtsp_transport;udp');
  expect(ffmpegOptions({ source: '/var/clips/a.mkv', transport: 'tcp' })).toBe('');
});
