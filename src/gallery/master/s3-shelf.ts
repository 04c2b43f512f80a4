import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  DeleteObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { EyelineError, messageOf } from '../../core/errors.ts';
import type { BundleShelf } from './bundle-shelf.ts';

/** Never the same twice under one name, so caches may keep it. */
const FOR_EVER = 'public, max-age=31536000, immutable';
const ASK_FIRST = 'no-cache';

/**
 * Objects below `prefix` of a bucket. Credentials, region and endpoint come from where every AWS client finds them
 * (`AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, profiles, instance roles) unless `config` says otherwise.
 */
export function s3Shelf(bucket: string, prefix: string, config: S3ClientConfig = {}): BundleShelf {
  // Not every S3-compatible server knows the checksums that AWS's own have had since 2025.
  const client = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED', ...config });
  const keyOf = (path: string) => (prefix === '' ? path : `${prefix}/${path}`);
  const guarded = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw new EyelineError('PUBLISH_FAILED', `s3://${bucket}/${what}: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    put: (path, file) =>
      guarded(keyOf(path), async () => {
        const { size: ContentLength } = await stat(file);
        const object = { Bucket: bucket, Key: keyOf(path), CacheControl: FOR_EVER, ContentLength };
        const ContentType = 'application/octet-stream';
        await client.send(new PutObjectCommand({ ...object, ContentType, Body: createReadStream(file) }));
      }),
    putText: (path, text) =>
      guarded(keyOf(path), async () => {
        const object = { Bucket: bucket, Key: keyOf(path), CacheControl: ASK_FIRST, ContentType: 'application/json' };
        await client.send(new PutObjectCommand({ ...object, Body: text }));
      }),
    has: (path) =>
      guarded(keyOf(path), async () => {
        try {
          await client.send(new HeadObjectCommand({ Bucket: bucket, Key: keyOf(path) }));
          return true;
        } catch (error) {
          if (error instanceof Error && error.name === 'NotFound') return false;
          throw error;
        }
      }),
    remove: (path) =>
      guarded(keyOf(path), async () => {
        await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: keyOf(path) }));
      }),
    close: () => client.destroy(),
  };
}
