const SLUG = /^[a-z0-9]+(?:[-_][a-z0-9]+)*$/;
const SLUG_MAX = 64;
const PREFIX = /^[^\s+#/$][^\s+#]*(?<!\/)$/;

/** The MQTT topics of one device (docs/mqtt.md). Names of people and cameras never stand in a topic: only slugs do. */
export interface DeviceTopics {
  /** `online`, `offline` (will) or `stopped`; retained. */
  readonly status: string;
  /** Identity events; never retained. */
  readonly event: string;
  /** The gallery in use; retained. */
  readonly gallery: string;
  /** `online`, `connecting`, `offline` or `disabled`; retained. */
  cameraStatus(camera: string): string;
  /** `ON` or `OFF`; retained. */
  cameraEnabled(camera: string): string;
  /** Takes `ON` or `OFF`. */
  cameraEnabledSet(camera: string): string;
}

/**
 * Topics of device `device` below `prefix`.
 *
 * @throws RangeError when an id is not a slug or the prefix cannot begin a topic name (MQTT 5, section 4.7)
 */
export function deviceTopics(prefix: string, device: string): DeviceTopics {
  if (!PREFIX.test(prefix)) throw new RangeError(`MQTT topic prefix "${prefix}" is not a topic name`);
  const root = `${prefix}/${slug('device', device)}`;
  const cameraRoot = (camera: string) => `${root}/camera/${slug('camera', camera)}`;
  return {
    status: `${root}/status`,
    event: `${root}/event`,
    gallery: `${root}/gallery`,
    cameraStatus: (camera) => `${cameraRoot(camera)}/status`,
    cameraEnabled: (camera) => `${cameraRoot(camera)}/enabled`,
    cameraEnabledSet: (camera) => `${cameraRoot(camera)}/enabled/set`,
  };
}

function slug(what: string, id: string): string {
  if (id.length > SLUG_MAX || !SLUG.test(id)) throw new RangeError(`${what} id "${id}" is not a slug`);
  return id;
}
