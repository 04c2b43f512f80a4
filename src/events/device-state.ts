export type CameraStatus = 'online' | 'connecting' | 'offline' | 'disabled';

/** What is told about the gallery in use. */
export interface GalleryReport {
  readonly version: number;
  readonly people: number;
  readonly templates: number;
  /** Fingerprint of the encoder that made the templates. */
  readonly encoder: string;
  /** When the gallery was last taken over from elsewhere, milliseconds since the epoch; null when never. */
  readonly syncedAtMs: number | null;
  /** How much more alike the people are than those scores were measured on, for each encoder; see docs/mqtt.md. */
  readonly alike: readonly {
    readonly encoder: string;
    readonly people: number | null;
    readonly raisedBy: number;
    readonly spread: number;
    readonly leftOut: number;
  }[];
}

/** Payload of the gallery topic, JSON. Throws RangeError when the time is not a number. */
export function galleryPayload({ version, people, templates, encoder, syncedAtMs, alike }: GalleryReport): string {
  const lastSync = syncedAtMs === null ? null : new Date(syncedAtMs).toISOString();
  return JSON.stringify({ version, people, templates, encoder, lastSync, alike });
}

/** How the device stands to its fleet (docs/fleet.md). */
export interface GallerySyncReport {
  readonly state: string;
  /** Version of the site's gallery that runs; null before the first one. */
  readonly version: number | null;
  readonly syncedAtMs: number | null;
  /** Why it is not current. */
  readonly code: string | null;
  readonly message: string | null;
  /** Public key that receipts are signed with, and the last receipt of deletions. */
  readonly deviceKey: string;
  readonly receipt: string | null;
}

/** Payload of the topic about the sync, JSON. */
export function gallerySyncPayload({ syncedAtMs, ...report }: GallerySyncReport): string {
  return JSON.stringify({ ...report, lastSync: syncedAtMs === null ? null : new Date(syncedAtMs).toISOString() });
}

/** How the device does, over the time since the report before. */
export interface DiagnosticsReport {
  /** Of the hottest part that tells; null where none does. */
  readonly temperatureC: number | null;
  readonly cameras: Readonly<
    Record<
      string,
      { readonly fps: number /** Capture to decision, mean; null without frames. */; readonly latencyMs: number | null }
    >
  >;
}
