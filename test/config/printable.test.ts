import { expect, it } from 'vitest';
import { configKeys, isSecret } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import { printable } from '../../src/config/printable.ts';

it('hides every secret and every credential in a URL', () => {
  const { config } = parseConfig(
    `
cameras:
  - {id: a, source: 'rtsp://admin:hunter2@h/1'}
  - {id: b, source: 'rtsp://h/1', credentials: {username: admin, password: hunter2}}
  - {id: c, source: 'rtspsrc location=rtsp://h user-id=admin user-pw=hunter2 ! appsink'}
mqtt: {url: 'mqtt://admin:hunter2@h', password: hunter2, tls: {keyPassword: hunter2}}`,
    { source: 'a.yaml', env: {} },
  );
  expect(JSON.stringify(config).match(/hunter2/g)).toHaveLength(6);
  const shown = printable(config);
  expect(JSON.stringify(shown)).not.toContain('hunter2');
  expect(shown.cameras[0]?.source).toBe('rtsp://***@h/1');
  expect(config.mqtt.password).toBe('hunter2');
});

it('knows every secret of the schema', () => {
  const secrets = configKeys().filter((key) => !key.section && isSecret(key.schema));
  expect(secrets.map((key) => key.path.join('.'))).toEqual([
    'gallery.key',
    'mqtt.password',
    'mqtt.tls.keyPassword',
    'privacy.crops.key',
  ]);
});

it('shows where a secret is kept', () => {
  const { config } = parseConfig('mqtt: {password: {file: /etc/p}}', { source: 'a.yaml', env: {} });
  expect(printable(config).mqtt.password).toEqual({ file: '/etc/p' });
});
