import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { EyelineError, isDiskFull, messageOf, systemCodeOf } from '../../core/errors.ts';
import { announcementPath, bundlePath, LIMITS } from '../bundle/bundle-format.ts';
import type { BundleSource } from './bundle-source.ts';

export interface HttpSourceOptions {
  /** http:// or https:// of the store's root. */
  readonly url: string;
  readonly site: string;
  /** Of a proxy; null for what `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` of `env` say. */
  readonly proxy: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** How long nothing may come. */
  readonly idleMs: number;
  /** How long a bundle may take; what came by then is kept and the next try goes on from there. */
  readonly wholeMs: number;
}

/** Bundles over HTTP: conditional requests, ranges and resumption (RFC 9110, sections 13 and 14), proxies. */
export function httpBundleSource(options: HttpSourceOptions): BundleSource {
  const { env, idleMs, proxy } = options;
  const root = options.url.endsWith('/') ? options.url : `${options.url}/`;
  const dispatcher = new EnvHttpProxyAgent({
    // Given all three, undici does not look at the environment itself.
    httpProxy: proxy ?? env.http_proxy ?? env.HTTP_PROXY ?? '',
    httpsProxy: proxy ?? env.https_proxy ?? env.HTTPS_PROXY ?? '',
    noProxy: proxy === null ? (env.no_proxy ?? env.NO_PROXY ?? '') : '',
    headersTimeout: idleMs,
    bodyTimeout: idleMs,
    connect: { timeout: idleMs },
  });
  const get = (path: string, headers: Record<string, string>, signal: AbortSignal) =>
    request(new URL(path, root), {
      dispatcher,
      signal,
      // As it is stored: lengths and ranges are those of the file.
      headers: { 'user-agent': 'eyeline', 'accept-encoding': 'identity', ...headers },
    });
  return {
    announcement: (etag, signal) =>
      guarded(signal, async () => {
        const { body, headers, statusCode } = await get(
          announcementPath(options.site),
          etag === null ? {} : { 'if-none-match': etag },
          signal,
        );
        if (statusCode !== 200) await dump(body);
        if (statusCode === 304) return null;
        if (statusCode !== 200) throw new Error(`the server answers ${statusCode}`);
        return { text: await textOf(body, LIMITS.announcementBytes * 2), etag: one(headers.etag) };
      }),
    receive: async (sha256, bytes, file, signal) => {
      const part = `${file}.part`;
      const within = AbortSignal.any([signal, AbortSignal.timeout(options.wholeMs)]);
      try {
        await guarded(signal, async () => {
          const { have, etag } = await begun(part);
          if (have < bytes) {
            const headers: Record<string, string> =
              have > 0 && etag !== null ? { range: `bytes=${have}-`, 'if-range': etag } : {};
            const response = await get(bundlePath(sha256), headers, within);
            try {
              await receiveRest(response, part, have, bytes);
            } finally {
              // A body nobody reads to its end would hold the connection, and closing would wait for it.
              response.body.on('error', () => {}).destroy();
            }
          }
          const { size } = await stat(part);
          if (size !== bytes) throw new Error(`only ${size} of ${bytes} bytes came`);
        });
        await rename(part, file);
      } catch (error) {
        // What is longer than announced will not get better by going on.
        if (error instanceof EyelineError && error.code === 'BUNDLE_CORRUPT') await rm(part, { force: true });
        throw error;
      }
      await rm(`${part}.etag`, { force: true });
    },
    close: () => dispatcher.close(),
  };
}

async function receiveRest(
  { body, headers, statusCode }: Dispatcher.ResponseData,
  part: string,
  have: number,
  bytes: number,
): Promise<void> {
  const resumed = statusCode === 206 && one(headers['content-range'])?.startsWith(`bytes ${have}-`) === true;
  if (statusCode !== 200 && !resumed) {
    await dump(body);
    // The range does not fit what the server has now: the next try begins anew.
    if (statusCode === 206 || statusCode === 416) await rm(part, { force: true });
    throw new Error(`the server answers ${statusCode}`);
  }
  const etag = one(headers.etag);
  if (!resumed) {
    await rm(part, { force: true });
    // A weak tag cannot vouch for bytes (RFC 9110, section 13.1.5).
    if (etag !== null && !etag.startsWith('W/')) await writeFile(`${part}.etag`, etag);
    else await rm(`${part}.etag`, { force: true });
  }
  let size = resumed ? have : 0;
  const file = await open(part, 'a', 0o600);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > bytes) throw new EyelineError('BUNDLE_CORRUPT', `more than the ${bytes} bytes announced came`);
      await file.writeFile(chunk);
    }
  } finally {
    // Whatever ended it: what has come is there for the next try.
    await file.sync().finally(() => file.close());
  }
}

/** How much of a file has come, and of which version of it. */
async function begun(part: string): Promise<{ have: number; etag: string | null }> {
  const size = await stat(part).then(
    (it) => it.size,
    () => 0,
  );
  const etag = await readFile(`${part}.etag`, 'utf8').catch(() => null);
  return { have: size, etag };
}

async function textOf(body: AsyncIterable<Buffer>, max: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > max) throw new EyelineError('BUNDLE_CORRUPT', 'the announcement is too long');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function dump(body: Dispatcher.ResponseData['body']): Promise<void> {
  await body.dump({ limit: 16_384 });
}

function one(header: string | string[] | undefined): string | null {
  return (Array.isArray(header) ? header[0] : header) ?? null;
}

/** The URL stays out of the message: it may hold a token. */
async function guarded<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof EyelineError) throw error;
    if (isDiskFull(error)) throw new EyelineError('SYNC_NO_SPACE', 'the disk is full', { cause: error });
    throw new EyelineError('SYNC_UNREACHABLE', `the store of bundles: ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const code = systemCodeOf(error);
  return `${messageOf(error) || 'no answer'}${code && ` (${code})`}`;
}
