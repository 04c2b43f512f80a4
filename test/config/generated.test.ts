import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse, parseDocument } from 'yaml';
import { configFile, editorSchema, referenceTables, withReference } from '../../scripts/generate-docs.ts';
import { configKeys } from '../../src/config/keys.ts';
import { parseConfig } from '../../src/config/load.ts';
import { configSchema } from '../../src/config/schema.ts';

const shipped = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');
/** Without the padding of tables, which is a formatter's business. */
const compact = (markdown: string) => markdown.replace(/ {2,}/g, ' ').replace(/\| ?-+ ?(?=\|)/g, '|---');
const DEFAULTS = configSchema.parse({});

describe('config/eyeline.yaml', () => {
  it('is accepted and equals the defaults', async () => {
    const text = await shipped('config/eyeline.yaml');
    const { config, warnings } = parseConfig(text, { source: 'config/eyeline.yaml', env: {} });
    expect(config).toEqual(DEFAULTS);
    expect(warnings).toEqual([]);
  });

  it('writes every key out', async () => {
    expect(parse(await shipped('config/eyeline.yaml'))).toEqual(DEFAULTS);
  });

  it('describes every key above it', async () => {
    const document = parseDocument(await shipped('config/eyeline.yaml'));
    const lines = (await shipped('config/eyeline.yaml')).split('\n');
    expect(document.errors).toEqual([]);
    const keyLines = lines.flatMap((line, index) => (/^ *[A-Za-z][A-Za-z0-9]*:/.test(line) ? [index] : []));
    expect(keyLines).toHaveLength(configKeys().length);
    for (const index of keyLines) expect(lines[index - 1]).toMatch(/^ *# /);
  });

  it('shows a camera that works when uncommented', async () => {
    const text = await shipped('config/eyeline.yaml');
    const uncommented = text.replace('cameras: []', 'cameras:').replaceAll(/^# {2}/gm, '  ');
    const { config } = parseConfig(uncommented, { source: 'config/eyeline.yaml', env: {} });
    const { id, name, source, credentials, ...rest } = config.cameras[0] ?? {};
    expect([id, name, source]).toEqual(['front-door', 'Front door', 'rtsp://192.168.1.20:554/stream1']);
    expect(credentials).not.toBeNull();
    const bare = configSchema.parse({ cameras: [{ id: 'x', source: 'y' }] }).cameras[0];
    expect(bare).toMatchObject(rest);
    expect(Object.keys(config.cameras[0] ?? {}).sort()).toEqual(Object.keys(bare ?? {}).sort());
  });

  it('is what `npm run docs` writes', async () => {
    expect(await shipped('config/eyeline.yaml')).toBe(configFile());
  });
});

it('config/eyeline.schema.json is what `npm run docs` writes', async () => {
  expect(JSON.parse(await shipped('config/eyeline.schema.json'))).toEqual(JSON.parse(editorSchema()));
});

describe('docs/configuration.md', () => {
  it('has the tables that `npm run docs` writes', async () => {
    const guide = await shipped('docs/configuration.md');
    expect(compact(guide)).toBe(compact(withReference(guide, referenceTables())));
  });

  it('names every key and every variable', async () => {
    const guide = compact(await shipped('docs/configuration.md'));
    for (const { path, variable, section, schema } of configKeys()) {
      if (!section && !schema.items?.properties) expect(guide).toContain(`| \`${path.join('.')}\` |`);
      if (!section) expect(guide).toContain(`\`${variable}\``);
    }
  });

  it('begins with an example that is accepted', async () => {
    const example = /```yaml\n([\s\S]*?)```/.exec(await shipped('docs/configuration.md'))?.[1] ?? '';
    const { config, warnings } = parseConfig(example, { source: 'example', env: {} });
    expect(config.cameras).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  it('refuses a guide without its marks', () => {
    expect(() => withReference('# Guide', 'x')).toThrow('the guide lacks');
  });
});
