// Field names of Home Assistant's MQTT integration as its documentation lists them (2025.4): what a discovery message may
// say, and what it must. https://www.home-assistant.io/integrations/mqtt/ and the page of each platform.

const AVAILABILITY = ['availability', 'availability_mode', 'availability_template', 'availability_topic'];
const ENTITY = [
  ...AVAILABILITY,
  'default_entity_id',
  'enabled_by_default',
  'encoding',
  'entity_category',
  'entity_picture',
  'icon',
  'json_attributes_template',
  'json_attributes_topic',
  'name',
  'object_id',
  'payload_available',
  'payload_not_available',
  'platform',
  'qos',
  'unique_id',
];

export const DEVICE_DISCOVERY = {
  required: ['device', 'origin', 'components'],
  allowed: ['device', 'origin', 'components', ...AVAILABILITY, 'command_topic', 'encoding', 'qos', 'state_topic'],
};

export const DEVICE_FIELDS = [
  'configuration_url',
  'connections',
  'hw_version',
  'identifiers',
  'manufacturer',
  'model',
  'model_id',
  'name',
  'serial_number',
  'suggested_area',
  'sw_version',
  'via_device',
];

export const ORIGIN_FIELDS = ['name', 'sw_version', 'support_url'];

export const AVAILABILITY_FIELDS = ['payload_available', 'payload_not_available', 'topic', 'value_template'];

interface Platform {
  readonly required: readonly string[];
  readonly allowed: readonly string[];
  /** Device classes that are used here, of those there are. */
  readonly deviceClasses: readonly string[];
  readonly categories: readonly string[];
}

export const PLATFORMS: Readonly<Record<string, Platform>> = {
  event: {
    required: ['state_topic', 'event_types'],
    allowed: [...ENTITY, 'device_class', 'event_types', 'state_topic', 'value_template'],
    deviceClasses: ['button', 'doorbell', 'motion'],
    categories: ['diagnostic'],
  },
  binary_sensor: {
    required: ['state_topic'],
    allowed: [
      ...ENTITY,
      'device_class',
      'expire_after',
      'force_update',
      'off_delay',
      'payload_off',
      'payload_on',
      'state_topic',
      'value_template',
    ],
    deviceClasses: ['connectivity', 'motion', 'occupancy', 'presence', 'problem', 'running'],
    categories: ['diagnostic'],
  },
  sensor: {
    required: ['state_topic'],
    allowed: [
      ...ENTITY,
      'device_class',
      'expire_after',
      'force_update',
      'last_reset_value_template',
      'options',
      'state_class',
      'state_topic',
      'suggested_display_precision',
      'unit_of_measurement',
      'value_template',
    ],
    deviceClasses: ['duration', 'enum', 'temperature', 'timestamp'],
    // A sensor has nothing to configure: Home Assistant refuses `config`.
    categories: ['diagnostic'],
  },
  switch: {
    required: ['command_topic'],
    allowed: [
      ...ENTITY,
      'command_template',
      'command_topic',
      'device_class',
      'optimistic',
      'payload_off',
      'payload_on',
      'retain',
      'state_off',
      'state_on',
      'state_topic',
      'value_template',
    ],
    deviceClasses: ['outlet', 'switch'],
    categories: ['config', 'diagnostic'],
  },
  button: {
    required: ['command_topic'],
    allowed: [...ENTITY, 'command_template', 'command_topic', 'device_class', 'payload_press', 'retain'],
    deviceClasses: ['identify', 'restart', 'update'],
    categories: ['config', 'diagnostic'],
  },
  image: {
    required: [],
    allowed: [...ENTITY, 'content_type', 'image_encoding', 'image_topic', 'url_template', 'url_topic'],
    deviceClasses: [],
    categories: ['diagnostic'],
  },
};
