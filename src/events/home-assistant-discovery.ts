import type { DeviceTopics } from './topics.ts';

/** One entity, with Home Assistant's own field names (https://www.home-assistant.io/integrations/mqtt/). */
export interface DiscoveredEntity {
  readonly platform: string;
  readonly [field: string]: unknown;
}

/** What is published on `<prefix>/device/<id>/config`. */
export interface DeviceDiscovery {
  readonly device: Readonly<Record<string, unknown>>;
  readonly origin: Readonly<Record<string, unknown>>;
  readonly availability: readonly object[];
  readonly qos: number;
  readonly components: Readonly<Record<string, DiscoveredEntity>>;
}

export interface DiscoveryOptions {
  readonly topics: DeviceTopics;
  readonly device: { readonly id: string; readonly name: string };
  /** Version of the product. */
  readonly version: string;
  readonly cameras: readonly { readonly id: string; readonly name: string }[];
  /** Seconds after which the last person is not known any more. */
  readonly lastPersonS: number;
  /** Seconds between two reports of the diagnostics. */
  readonly diagnosticsS: number;
  /** Whether the machine tells its temperature. */
  readonly temperature: boolean;
  /** Whether snapshots may be asked for. */
  readonly snapshots: boolean;
}

/** Event types of an identity entity: the decisions, and that a face has left. */
export const IDENTITY_EVENT_TYPES = ['known', 'unknown', 'undecided', 'left'] as const;

/**
 * The device and its entities as Home Assistant discovers them in one message ("device discovery", since 2024.11).
 * What may open a door is the event entity: it passes on fresh events only, and remembers none over a restart.
 */
export function deviceDiscovery(options: DiscoveryOptions): DeviceDiscovery {
  const { cameras, device, topics, version } = options;
  const entities = [...cameras.flatMap((camera) => cameraEntities(camera, options)), ...deviceEntities(options)];
  return {
    device: {
      identifiers: [`eyeline_${device.id}`],
      name: device.name,
      manufacturer: 'Eyeline',
      model: 'Face recognition',
      sw_version: version,
    },
    origin: { name: 'Eyeline', sw_version: version },
    availability: [availableWhile(topics.status)],
    qos: 1,
    components: Object.fromEntries(
      entities.map(([key, entity]) => [key, { ...entity, unique_id: `eyeline_${device.id}_${key}` }]),
    ),
  };
}

function cameraEntities(
  { id, name }: DiscoveryOptions['cameras'][number],
  { diagnosticsS, lastPersonS, snapshots, topics }: DiscoveryOptions,
): [key: string, DiscoveredEntity][] {
  const whileOnline = {
    availability: [availableWhile(topics.status), availableWhile(topics.cameraStatus(id))],
    availability_mode: 'all',
  };
  const diagnostic = (field: string) => ({
    state_topic: topics.diagnostics,
    value_template: `{{ (value_json.cameras.get('${id}') or {}).get('${field}') }}`,
    expire_after: 3 * diagnosticsS,
    entity_category: 'diagnostic',
    state_class: 'measurement',
  });
  return [
    [
      `${id}_identity`,
      {
        platform: 'event',
        name: `${name} identity`,
        icon: 'mdi:face-recognition',
        state_topic: topics.event,
        event_types: IDENTITY_EVENT_TYPES,
        value_template: freshEventOf(id),
        ...whileOnline,
      },
    ],
    [
      `${id}_person`,
      {
        platform: 'binary_sensor',
        name: `${name} person`,
        device_class: 'occupancy',
        state_topic: topics.cameraPerson(id),
        ...whileOnline,
      },
    ],
    [
      `${id}_last_person`,
      {
        platform: 'sensor',
        name: `${name} last person`,
        icon: 'mdi:account-check',
        state_topic: topics.cameraLastPerson(id),
        value_template: '{{ value_json.name }}',
        json_attributes_topic: topics.cameraLastPerson(id),
        // Eyeline clears it; this is for an Eyeline that has gone away.
        expire_after: lastPersonS + 10,
        ...whileOnline,
      },
    ],
    [
      `${id}_enabled`,
      {
        platform: 'switch',
        name: `${name} enabled`,
        icon: 'mdi:cctv',
        state_topic: topics.cameraEnabled(id),
        command_topic: topics.cameraEnabledSet(id),
        entity_category: 'config',
      },
    ],
    ...(snapshots ? snapshotEntities(id, name, topics, whileOnline) : []),
    [`${id}_fps`, { platform: 'sensor', name: `${name} frames`, unit_of_measurement: 'fps', ...diagnostic('fps') }],
    [
      `${id}_latency`,
      {
        platform: 'sensor',
        name: `${name} latency`,
        device_class: 'duration',
        unit_of_measurement: 'ms',
        ...diagnostic('latencyMs'),
      },
    ],
  ];
}

function snapshotEntities(
  id: string,
  name: string,
  topics: DeviceTopics,
  whileOnline: object,
): [key: string, DiscoveredEntity][] {
  return [
    [
      `${id}_snapshot`,
      {
        platform: 'button',
        name: `${name} snapshot`,
        icon: 'mdi:camera',
        command_topic: topics.command,
        payload_press: JSON.stringify({ command: 'snapshot', camera: id }),
        ...whileOnline,
      },
    ],
    [
      `${id}_picture`,
      {
        platform: 'image',
        name: `${name} snapshot`,
        image_topic: topics.cameraSnapshot(id),
        content_type: 'image/jpeg',
        ...whileOnline,
      },
    ],
  ];
}

function deviceEntities({ diagnosticsS, temperature, topics }: DiscoveryOptions): [string, DiscoveredEntity][] {
  const ofGallery = (name: string, value: string, icon: string): DiscoveredEntity => ({
    platform: 'sensor',
    name,
    icon,
    state_topic: topics.gallery,
    value_template: value,
    entity_category: 'diagnostic',
  });
  return [
    ['gallery_version', ofGallery('Gallery version', '{{ value_json.version }}', 'mdi:database')],
    ['gallery_people', ofGallery('People enrolled', '{{ value_json.people }}', 'mdi:account-group')],
    ['encoder', ofGallery('Encoder', '{{ value_json.encoder[:24] }}', 'mdi:brain')],
    ...(temperature
      ? ([
          [
            'temperature',
            {
              platform: 'sensor',
              name: 'Temperature',
              device_class: 'temperature',
              unit_of_measurement: '°C',
              state_class: 'measurement',
              state_topic: topics.diagnostics,
              value_template: '{{ value_json.temperatureC }}',
              expire_after: 3 * diagnosticsS,
              entity_category: 'diagnostic',
            },
          ],
        ] satisfies [string, DiscoveredEntity][])
      : []),
  ];
}

/** `stopped` and any other word but `online` is unavailable too. */
function availableWhile(topic: string): object {
  return { topic, value_template: "{{ 'online' if value == 'online' else 'offline' }}" };
}

/** Jinja: the event of this camera with its `event_type`, or nothing when it is late or has expired. */
function freshEventOf(camera: string): string {
  const fresh = `value_json.camera == '${camera}' and not value_json.late and as_datetime(value_json.expiresAt) > now()`;
  const type = "'left' if value_json.type == 'exit' else value_json.decision";
  return `{% if ${fresh} %}{{ dict(value_json, event_type=(${type})) | to_json }}{% endif %}`;
}
