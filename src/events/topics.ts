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
  /** How the device stands to its fleet; retained. */
  readonly gallerySync: string;
  /** Temperature, frames a second and the like. */
  readonly diagnostics: string;
  /** What single looks said, when that is asked for; never retained. */
  readonly attempt: string;
  /** Takes commands, JSON; answers go to `response` unless the request names another topic. */
  readonly command: string;
  readonly response: string;
  /** Filters of what is retained of cameras, whichever there are or were. */
  readonly retainedOfCameras: readonly string[];
  /** `online`, `connecting`, `offline` or `disabled`; retained. */
  cameraStatus(camera: string): string;
  /** `ON` or `OFF`; retained. */
  cameraEnabled(camera: string): string;
  /** Takes `ON` or `OFF`. */
  cameraEnabledSet(camera: string): string;
  /** `ON` while a face is in view, `OFF`; retained. */
  cameraPerson(camera: string): string;
  /** Who was recognised last; never retained. */
  cameraLastPerson(camera: string): string;
  /** A picture, JPEG; never retained. */
  cameraSnapshot(camera: string): string;
  /** Id of the camera a topic is about; null when it is about none. */
  cameraOf(topic: string): string | null;
}

/**
 * Topics of device `device` below `prefix`.
 *
 * @throws RangeError when an id is not a slug or the prefix cannot begin a topic name (MQTT 5, section 4.7)
 */
export function deviceTopics(prefix: string, device: string): DeviceTopics {
  if (!PREFIX.test(prefix)) throw new RangeError(`MQTT topic prefix "${prefix}" is not a topic name`);
  const root = `${prefix}/${slug('device', device)}`;
  const retained = ['status', 'enabled', 'person'];
  const cameraRoot = (camera: string) => `${root}/camera/${slug('camera', camera)}`;
  return {
    status: `${root}/status`,
    event: `${root}/event`,
    gallery: `${root}/gallery`,
    gallerySync: `${root}/gallery/sync`,
    diagnostics: `${root}/diagnostics`,
    attempt: `${root}/debug/attempt`,
    command: `${root}/command`,
    response: `${root}/response`,
    retainedOfCameras: retained.map((what) => `${root}/camera/+/${what}`),
    cameraStatus: (camera) => `${cameraRoot(camera)}/status`,
    cameraEnabled: (camera) => `${cameraRoot(camera)}/enabled`,
    cameraEnabledSet: (camera) => `${cameraRoot(camera)}/enabled/set`,
    cameraPerson: (camera) => `${cameraRoot(camera)}/person`,
    cameraLastPerson: (camera) => `${cameraRoot(camera)}/last-person`,
    cameraSnapshot: (camera) => `${cameraRoot(camera)}/snapshot`,
    cameraOf: (topic) => {
      const [name, ...rest] = topic.startsWith(`${root}/camera/`)
        ? topic.slice(`${root}/camera/`.length).split('/')
        : [];
      return name !== undefined && rest.length > 0 ? name : null;
    },
  };
}

/** Where the newest version of a site's gallery is announced; retained. Throws RangeError when the site is not a slug. */
export function announcementTopic(prefix: string, site: string): string {
  return `${prefix}/site/${slug('site', site)}/gallery`;
}

function slug(what: string, id: string): string {
  if (id.length > SLUG_MAX || !SLUG.test(id)) throw new RangeError(`${what} id "${id}" is not a slug`);
  return id;
}
