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
}

/** Payload of the gallery topic, JSON. Throws RangeError when the time is not a number. */
export function galleryPayload({ version, people, templates, encoder, syncedAtMs }: GalleryReport): string {
  const lastSync = syncedAtMs === null ? null : new Date(syncedAtMs).toISOString();
  return JSON.stringify({ version, people, templates, encoder, lastSync });
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
