import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { MetricsServer } from '../../src/platform/metrics-server.ts';

/** The value of a sample, read as Prometheus reads it: name, labels in any order, value. */
function sample(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
  for (const line of text.split('\n')) {
    const [, found, inside = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (found !== name) continue;
    const pairs = Object.fromEntries([...inside.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
    if (Object.entries(labels).every(([key, text]) => pairs[key] === text)) return Number(value);
  }
  return undefined;
}

describe('Metrics', () => {
  it('times frames by part and as a whole, in seconds', async () => {
    const metrics = new Metrics();
    const latencyMs = { capture: 2, queue: 3, detect: 5, embed: 40, decide: 0 };
    metrics.frame({ camera: 'door', faces: 2, looked: 1, latencyMs });
    metrics.frame({ camera: 'door', faces: 1, looked: 0, latencyMs: { ...latencyMs, embed: 0 } });
    const text = await metrics.text();
    expect(sample(text, 'eyeline_stage_seconds_sum', { camera: 'door', stage: 'embed' })).toBeCloseTo(0.04, 9);
    expect(sample(text, 'eyeline_stage_seconds_count', { camera: 'door', stage: 'queue' })).toBe(2);
    expect(sample(text, 'eyeline_frame_seconds_sum', { camera: 'door' })).toBeCloseTo(0.06, 9);
    expect(sample(text, 'eyeline_frame_seconds_bucket', { camera: 'door', le: '0.025' })).toBe(1);
    expect(sample(text, 'eyeline_faces_total', { camera: 'door', step: 'found' })).toBe(3);
    expect(sample(text, 'eyeline_faces_total', { camera: 'door', step: 'embedded' })).toBe(1);
  });

  it('counts decisions and runs', async () => {
    const metrics = new Metrics();
    metrics.decision('door', 'known');
    metrics.decision('door', 'known');
    metrics.run({ model: 'rfb-320', pictures: 3, runMs: 6 });
    const text = await metrics.text();
    expect(sample(text, 'eyeline_decisions_total', { camera: 'door', decision: 'known' })).toBe(2);
    expect(sample(text, 'eyeline_inference_run_seconds_sum', { model: 'rfb-320' })).toBeCloseTo(0.006, 9);
    expect(sample(text, 'eyeline_inference_batch_pictures_bucket', { model: 'rfb-320', le: '2' })).toBe(0);
    expect(sample(text, 'eyeline_inference_batch_pictures_bucket', { model: 'rfb-320', le: '4' })).toBe(1);
  });

  it('reads the cameras when it is asked', async () => {
    const metrics = new Metrics();
    const stats = { framesRead: 10, framesDelivered: 6, framesDropped: 3, framesIdle: 1, restarts: 2 };
    const cameras = new Map([['door', { stats, status: 'offline' }]]);
    metrics.watchCameras(cameras);
    expect(sample(await metrics.text(), 'eyeline_camera_online', { camera: 'door' })).toBe(0);
    cameras.set('door', { stats: { ...stats, framesRead: 11 }, status: 'online' });
    const text = await metrics.text();
    expect(sample(text, 'eyeline_camera_online', { camera: 'door' })).toBe(1);
    expect(sample(text, 'eyeline_camera_frames', { camera: 'door', outcome: 'read' })).toBe(11);
    expect(sample(text, 'eyeline_camera_frames', { camera: 'door', outcome: 'idle' })).toBe(1);
    expect(sample(text, 'eyeline_camera_restarts', { camera: 'door' })).toBe(2);
  });
});

describe('MetricsServer', () => {
  const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'eyeline_x 1\n' };
  const serve = (port = 0, source = metrics) => {
    const server = new MetricsServer({ host: '127.0.0.1', port, metrics: source, logger: silentLogger });
    onTestFinished(() => server.stop());
    return server;
  };

  it('serves the metrics, and nothing else', async () => {
    const server = serve();
    await server.start();
    const answer = await fetch(server.url ?? '');
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      200,
      'text/plain; version=0.0.4',
      'eyeline_x 1\n',
    ]);
    expect((await fetch(new URL('/', server.url))).status).toBe(404);
    expect((await fetch(server.url ?? '', { method: 'POST' })).status).toBe(404);
    await server.stop();
    await expect(fetch(server.url ?? 'http://127.0.0.1:1/')).rejects.toThrow();
  });

  it('says when its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(serve(port).start()).rejects.toMatchObject({
      code: 'METRICS_UNAVAILABLE',
      message: expect.stringContaining(`metrics: cannot listen on 127.0.0.1:${port}: `),
    });
  });

  it('answers 500 when they cannot be told', async () => {
    const server = serve(0, { ...metrics, text: async () => Promise.reject(new Error('broken')) });
    await server.start();
    expect((await fetch(server.url ?? '')).status).toBe(500);
  });
});
