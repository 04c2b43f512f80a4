/** Where published files lie: a folder that a web server serves, or an S3 bucket. */
export interface BundleShelf {
  /** Stores a file under a path of ours. What stands there is replaced as a whole: nobody sees half of it. Rejects with PUBLISH_FAILED. */
  put(path: string, file: string): Promise<void>;
  /** Stores a short text that changes: caches must ask before they use it again. Rejects with PUBLISH_FAILED. */
  putText(path: string, text: string): Promise<void>;
  has(path: string): Promise<boolean>;
  remove(path: string): Promise<void>;
  close(): void;
}
