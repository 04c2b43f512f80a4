/**
 * Every error the product raises on purpose, by code: the exit status a command ends with, and what to do about it.
 * docs/errors.md lists the same codes; a test keeps the two in step.
 */
export const ERRORS = {
  USAGE: { exit: 2, help: 'Run the command with --help for its arguments.' },
  CONFIG_INVALID: { exit: 3, help: 'Correct the keys named; `eyeline check-config` checks the file without starting.' },
  CONFIG_UNREADABLE: { exit: 3, help: 'Check that the file exists, is readable and is YAML.' },
  SECRET_UNREADABLE: { exit: 3, help: 'Check the secret file or the systemd credential and its permissions.' },
  MODEL_UNKNOWN: { exit: 4, help: '`eyeline models list` names the models of the manifest.' },
  MODEL_MISSING: { exit: 4, help: 'Run `eyeline models pull`.' },
  MODEL_CORRUPT: { exit: 4, help: 'Delete the file named and run `eyeline models pull`; do not use it.' },
  MODEL_UNFETCHABLE: { exit: 4, help: 'Check the network and the source in the manifest, then pull again.' },
  MODEL_UNSUPPORTED: { exit: 4, help: 'The graph does not fit its contract in the manifest: correct either.' },
  MODEL_UNCALIBRATED: {
    exit: 4,
    help: 'Run `eyeline calibrate` on pictures of at least some hundred people: it measures what the scores mean.',
  },
  MANIFEST_INVALID: { exit: 4, help: 'Correct the manifest keys named.' },
  PROVIDER_UNAVAILABLE: {
    exit: 4,
    help: 'Run `eyeline doctor` to see which execution providers work on this machine.',
  },
  GRAPH_UNTRAINABLE: {
    exit: 4,
    help: 'Cut the model after the operator named, so that it is in the frozen part, or use another model.',
  },
  TRAINING_DIVERGED: {
    exit: 12,
    help: 'Begin a new run with a lower learning rate or clip norm: the same settings come to the same step again.',
  },
  CHECKPOINT_UNREADABLE: {
    exit: 12,
    help: 'Begin a new run with another --out: the checkpoint before it was tried, too.',
  },
  INFERENCE_FAILED: {
    exit: 9,
    help: 'ONNX Runtime ended or fails; the service manager restarts the daemon, which tries each provider anew. Report it if it happens again.',
  },
  MODEL_HANGS: {
    exit: 9,
    help: 'The driver or the disk does not answer: run `eyeline doctor`, or take the provider out of inference.providers.',
  },
  GALLERY_UNREADABLE: {
    exit: 5,
    help: 'Check the path, its permissions and the free disk; restore a backup if damaged.',
  },
  GALLERY_ENCODER_MISMATCH: {
    exit: 5,
    help: 'Enrol again with the encoder in use, or configure the encoder of the gallery.',
  },
  GALLERY_KEY_INVALID: {
    exit: 5,
    help: 'Restore the key file, or configure gallery.key with the key the gallery was encrypted with.',
  },
  BUNDLE_UNTRUSTED: {
    exit: 5,
    help: 'Publish with a key that gallery.sync.trust names; if nobody changed keys, somebody tampers with the store.',
  },
  BUNDLE_CORRUPT: { exit: 5, help: 'Publish again; the device keeps the gallery it has.' },
  BUNDLE_KEY_INVALID: { exit: 5, help: 'Give the key that `eyeline gallery keygen` made for this fleet.' },
  BUNDLE_REPLAYED: {
    exit: 5,
    help: 'The store offers an older version than this device had: publish a newer one; the device keeps what it has.',
  },
  BUNDLE_NOT_VALID_NOW: { exit: 5, help: 'Set the clock of the device (NTP), or publish again: bundles expire.' },
  BUNDLE_WRONG_BASE: { exit: 5, help: 'The delta is for another state: the device takes the full bundle by itself.' },
  BUNDLE_WRONG_GALLERY: {
    exit: 5,
    help: 'Check gallery.sync.url and device.site: the bundle is of another site or another master gallery.',
  },
  BUNDLE_ENCODER_MISMATCH: {
    exit: 5,
    help: 'Enrol in the master gallery with the encoder of the devices, or configure that encoder on the device.',
  },
  SYNC_NOT_CONFIGURED: { exit: 3, help: 'Configure gallery.sync.url, site, trust and keys; see docs/fleet.md.' },
  SYNC_UNREACHABLE: { exit: 5, help: 'Check gallery.sync.url, the network and the proxy; the device tries again.' },
  SYNC_NO_SPACE: { exit: 5, help: 'Free disk space; the device keeps the gallery it has and tries again.' },
  ROLLBACK_UNAVAILABLE: { exit: 5, help: 'Only the version before the last one taken over is kept.' },
  PUBLISH_FAILED: { exit: 11, help: 'Check the target, its permissions and credentials, then publish again.' },
  GALLERY_FILE_INVALID: {
    exit: 5,
    help: 'Check the passphrase, and that the file was copied as a whole; export it again.',
  },
  PERSON_UNKNOWN: { exit: 5, help: '`eyeline gallery list` names the people enrolled.' },
  VISITOR_UNKNOWN: { exit: 5, help: '`eyeline visitors list` names the visitors that are kept.' },
  PICTURE_REFUSED: { exit: 7, help: 'Use a sharp, well-lit picture with exactly one face.' },
  ENROLMENT_INCOMPLETE: {
    exit: 7,
    help: 'Stand before the camera alone, close and in good light, do what is said, and try again; --seconds gives more time.',
  },
  TRAINING_DATA_UNUSABLE: {
    exit: 7,
    help: 'Give a folder a person with pictures that show faces: at least four people, better hundreds.',
  },
  TRAINING_NOT_BETTER: {
    exit: 13,
    help: 'The model in use stays. Train longer or on more people, or use the new model by hand with models.manifest.',
  },
  NOTHING_TO_EVALUATE: { exit: 7, help: 'Name pictures that can be read, with at least two of a person.' },
  CAMERA_OPEN_FAILED: { exit: 6, help: 'Check the URL, the credentials and that the camera answers.' },
  CAMERA_STALLED: { exit: 6, help: 'The camera sent no frames: check the network and the camera; it is retried.' },
  CAMERA_PROCESS_DIED: { exit: 6, help: 'The decoder crashed or was killed; it is restarted.' },
  MQTT_UNREACHABLE: { exit: 6, help: 'Check the broker URL, the credentials and the certificates.' },
  SPOOL_UNUSABLE: {
    exit: 11,
    help: 'Check events.bufferFile, its permissions and the free disk; events are kept in memory meanwhile.',
  },
  OPENCV_UNAVAILABLE: { exit: 8, help: 'Run scripts/setup.sh: it installs OpenCV and builds the add-on.' },
  TOOL_MISSING: { exit: 8, help: 'Run scripts/setup.sh: it installs what is missing.' },
  DEMO_INCOMPLETE: { exit: 10, help: 'Try --seconds 90 on a slow machine; --verbose shows what the daemon says.' },
  BENCH_FAILED: { exit: 10, help: 'Run `eyeline doctor`; --verbose shows what the daemon says.' },
  METRICS_UNAVAILABLE: {
    exit: 8,
    help: 'Configure metrics.port to a port that is free, or null for no metrics.',
  },
  OUTPUT_UNWRITABLE: { exit: 11, help: 'Check the folder, its permissions and the free space.' },
  STALE_PROGRESS: {
    exit: 9,
    help: 'The daemon made no progress and ended itself for the service manager to restart it.',
  },
} as const satisfies Record<string, { exit: number; help: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** Exit status for a failure that has no code of its own: a bug. */
export const EXIT_INTERNAL = 1;

/**
 * An error with a stable code. `message` says what is wrong and where (camera, file, key) in one line; it must not
 * hold secrets. What to do about it comes with the code.
 */
export class EyelineError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'EyelineError';
    this.code = code;
  }

  /** What the user can do about it. */
  get help(): string {
    return ERRORS[this.code].help;
  }

  /** Status a command ends with when this error reaches it. */
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

/** Message of anything that was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Code of an error of the system or of SQLite, such as ENOENT; empty when it has none. */
export function systemCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether the disk, or what a user may have of it, is full: as the system or SQLite says it, or as the cause of an error of ours. */
export function isDiskFull(error: unknown): boolean {
  if (['ENOSPC', 'EDQUOT', 'SQLITE_FULL'].includes(systemCodeOf(error))) return true;
  return error instanceof Error && error.cause !== undefined && isDiskFull(error.cause);
}
