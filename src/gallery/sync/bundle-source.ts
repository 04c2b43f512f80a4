/** Where a device takes bundles from. */
export interface BundleSource {
  /**
   * The announcement of the site with the ETag it was served with; null when it is still the one of `etag`.
   * Rejects with SYNC_UNREACHABLE.
   */
  announcement(etag: string | null, signal: AbortSignal): Promise<{ text: string; etag: string | null } | null>;
  /**
   * Receives a bundle of exactly `bytes` bytes into `file`, going on where an earlier try was cut off. Rejects with
   * SYNC_UNREACHABLE when it should be tried again, and BUNDLE_CORRUPT when more comes than was announced.
   */
  receive(sha256: string, bytes: number, file: string, signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
