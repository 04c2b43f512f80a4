import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { registerGallery } from '../../src/commands/gallery.ts';
import { registerVisitors } from '../../src/commands/visitors.ts';
import { systemClock } from '../../src/core/clock.ts';
import { silentLogger } from '../../src/core/logger.ts';
import { openVisitorStore } from '../../src/gallery/sqlite-visitor-store.ts';
import { commandContext } from '../rig/command-context.ts';
import { axis, temporaryFolder } from './gallery-rig.ts';

/** The commands on files of their own, and the id of a visitor whom a daemon with that key saw. */
function rig(key?: Uint8Array) {
  const folder = temporaryFolder();
  const [visitors, keyFile] = [join(folder, 'visitors.sqlite'), join(folder, 'configured.key')];
  const config = join(folder, 'eyeline.yaml');
  mkdirSync(join(folder, 'data'));
  writeFileSync(keyFile, `${'ab'.repeat(32)}\n`, { mode: 0o600 });
  const gallery = `gallery: { file: ${join(folder, 'data', 'gallery.sqlite')}, key: { file: ${keyFile} } }`;
  writeFileSync(config, `${gallery}\nvisitors: { file: ${visitors} }\n`);
  const limits = { maxVisitors: 9, keepMs: 86_400_000 };
  const store = openVisitorStore(visitors, { logger: silentLogger, clock: systemClock, limits, key });
  const look = { encoder: 'e', part: 'full', mask: null, embedding: axis(8, 0), quality: 1 } as const;
  const sighting = { track: 'door-1', camera: 'door', seenAtMs: Date.now(), templates: [look] };
  const visitor = store.admit(sighting, () => 0.5);
  store.close();
  const run = async (...args: string[]) => {
    const recorded = commandContext();
    const program = new Command('eyeline').exitOverride().configureOutput({ writeErr: () => {} });
    registerVisitors(program, recorded.context);
    registerGallery(program, recorded.context);
    await program.parseAsync([...args, '--config', config], { from: 'user' });
    return recorded.printed;
  };
  return { visitor, run };
}

it('enrols a visitor under a name', async () => {
  const { visitor, run } = rig();
  expect(await run('visitors', 'name', visitor, ' Ada  Berg ')).toEqual([
    `${visitor} is Ada Berg (ada-berg), 1 templates`,
  ]);
  expect((await run('gallery', 'list'))[0]).toMatch(/^ada-berg: Ada Berg, 1 template,/);
  await expect(run('visitors', 'name', visitor, 'Ben')).rejects.toMatchObject({ code: 'USAGE' });
});

it('refuses a name that is none', async () => {
  const { visitor, run } = rig();
  await expect(run('visitors', 'name', visitor, ' ')).rejects.toMatchObject({ code: 'commander.invalidArgument' });
});

it('enrols nobody of a visitor who was kept under another key, and leaves the visitor as they are', async () => {
  const { visitor, run } = rig(new Uint8Array(32).fill(7));
  await expect(run('visitors', 'name', visitor, 'Ada')).rejects.toMatchObject({
    code: 'VISITOR_UNKNOWN',
    message: `what visitor ${visitor} looked like is encrypted with another gallery.key: nobody is enrolled`,
  });
  expect((await run('visitors', 'list'))[0]).toMatch(`${visitor}: seen once`);
  await expect(run('gallery', 'list')).rejects.toMatchObject({ message: expect.stringContaining('does not exist') });
});
