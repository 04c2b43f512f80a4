import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EyelineError, messageOf } from '../core/errors.ts';
import { type Fetched, type FetchOptions, MAX_FILE_BYTES } from './fetch.ts';
import type { Asset } from './manifest.ts';
import { describeSource } from './source.ts';

export interface HttpsPolicy {
  /** How long nothing may come. */
  readonly idleMs: number;
  readonly maxBytes: number;
  readonly maxRedirects: number;
  /** Certificates to trust instead of those Node does, PEM. */
  readonly ca?: string;
}

const POLICY: HttpsPolicy = { idleMs: 30_000, maxBytes: MAX_FILE_BYTES, maxRedirects: 5 };
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Receives one file over HTTPS with the certificates Node trusts (`NODE_EXTRA_CA_CERTS` adds one's own). Redirects are
 * followed to https only. Throws MODEL_UNFETCHABLE; the message holds neither user, password nor query of the URL.
 */
export async function fetchFromHttps(
  asset: Asset,
  { scratchDir, signal, onProgress }: FetchOptions,
  policy: HttpsPolicy = POLICY,
): Promise<Fetched> {
  const { id, source } = asset;
  if (source.kind !== 'https') throw new TypeError('not an https source');
  const path = join(scratchDir, randomUUID());
  try {
    const response = await get(new URL(source.url), policy, policy.maxRedirects, signal);
    const length = Number(response.headers['content-length']);
    const totalBytes = Number.isSafeInteger(length) && length > 0 ? length : null;
    let receivedBytes = 0;
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        receivedBytes += chunk.length;
        if (receivedBytes > policy.maxBytes) return done(new Error(`larger than ${policy.maxBytes} bytes`));
        onProgress?.({ ids: [id], receivedBytes, totalBytes });
        done(null, chunk);
      },
    });
    await pipeline(response, counted, createWriteStream(path, { flags: 'wx' }), signal ? { signal } : {});
    return new Map([[id, path]]);
  } catch (error) {
    signal?.throwIfAborted();
    const message = `${describeSource(source)}: ${messageOf(error)}`;
    throw new EyelineError('MODEL_UNFETCHABLE', message, { cause: error });
  }
}

/** The first answer that is no redirect; it must be 200. */
async function get(
  url: URL,
  policy: HttpsPolicy,
  redirects: number,
  signal: AbortSignal | undefined,
): Promise<IncomingMessage> {
  if (url.protocol !== 'https:') throw new Error(`redirects to ${url.protocol}//: only https is followed`);
  const response = await answerOf(url, policy, signal);
  const { statusCode = 0 } = response;
  if (statusCode === 200) return response;
  response.destroy();
  const { location } = response.headers;
  if (!REDIRECTS.has(statusCode) || !location) throw new Error(`the server answers ${statusCode}`);
  if (redirects === 0) throw new Error(`more than ${policy.maxRedirects} redirects`);
  if (!URL.canParse(location, url.href)) throw new Error('redirects to no URL');
  return get(new URL(location, url), policy, redirects - 1, signal);
}

function answerOf(url: URL, { idleMs, ca }: HttpsPolicy, signal: AbortSignal | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let response: IncomingMessage | null = null;
    const options = {
      timeout: idleMs,
      headers: { accept: '*/*', 'user-agent': 'eyeline' },
      ...(signal && { signal }),
      ...(ca && { ca }),
    };
    const sent = request(url, options, (it) => {
      response = it;
      resolve(it);
    });
    sent.on('timeout', () => (response ?? sent).destroy(new Error(`nothing came for ${idleMs / 1000} s`)));
    sent.on('error', reject);
    sent.end();
  });
}
