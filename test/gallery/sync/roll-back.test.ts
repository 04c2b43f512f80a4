import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { registerGallery } from '../../../src/commands/gallery.ts';
import { commandContext } from '../../rig/command-context.ts';
import { device, fleet } from '../fleet-device.ts';
import { DIMENSION, ENCODER, NOW, person } from '../fleet-rig.ts';
import { axis, template, temporaryFolder } from '../gallery-rig.ts';

const DAY_MS = 86_400_000;

/** A device at version 2, which changed Anna, who may be kept `annaUntilMs`, and Ben. */
async function at2(annaUntilMs: number | null = null) {
  const world = await fleet();
  const door = device(world.keys, world.server.url);
  await world.put([person('anna', 1), person('ben', 2)]);
  await world.release();
  await door.sync();
  await world.put([person('anna', 3, { retainUntilMs: annaUntilMs }), person('ben', 4)]);
  await world.release();
  await door.sync();
  return { ...world, door };
}

it('brings nobody back who was removed on the device', async () => {
  const { door, put, release } = await at2();
  door.store.removePerson('anna');
  expect(await door.back()).toMatchObject({ state: { version: 1, floor: 2 }, stayDeleted: 1 });
  expect(door.ids()).toEqual(['ben']);
  expect(door.store.personState('ben')).toEqual(person('ben', 2));
  expect(door.store.tombstones()).toMatchObject([{ id: 'anna', reason: 'removed' }]);
  // The way to newer versions stays open.
  await put([person('carl', 5)]);
  await release();
  expect(await door.sync()).toMatchObject({ outcome: 'taken', state: { version: 3 } });
});

it('brings nobody back who was removed and enrolled anew on the device', async () => {
  const { door } = await at2();
  door.store.removePerson('anna');
  door.store.ensurePerson('Anna');
  door.store.addTemplates('anna', [template(axis(DIMENSION, 7), { encoder: ENCODER })]);
  const own = door.store.personState('anna');
  expect(await door.back()).toMatchObject({ stayDeleted: 1 });
  expect(door.store.personState('anna')).toEqual(own);
  expect(door.store.listPeople()).toMatchObject([
    { id: 'anna', origin: 'device' },
    { id: 'ben', origin: 'fleet' },
  ]);
});

it('brings nobody back who expired', async () => {
  const { door } = await at2(NOW + DAY_MS);
  door.clock.nowMs = NOW + 2 * DAY_MS;
  expect(door.store.removeExpired()).toEqual(['anna']);
  expect(await door.back()).toMatchObject({ stayDeleted: 1 });
  expect(door.ids()).toEqual(['ben']);
  expect(door.store.tombstones()).toMatchObject([{ id: 'anna', reason: 'expired' }]);
});

it('lets nobody stay who is past their last day and about to be removed', async () => {
  const { door } = await at2(NOW + DAY_MS);
  door.clock.nowMs = NOW + DAY_MS;
  expect(await door.back()).toMatchObject({ stayDeleted: 1 });
  expect(door.store.removeExpired()).toEqual(['anna']);
  expect(door.ids()).toEqual(['ben']);
});

it('says on the command line how many stay deleted', async () => {
  const { keys, put, release, server } = await fleet();
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'bundle.key'), Buffer.from(keys.body).toString('hex'), { mode: 0o600 });
  const sync = { url: server.url, trust: [keys.signing.publicKey], keys: [{ file: join(folder, 'bundle.key') }] };
  const gallery = { file: join(folder, 'gallery.sqlite'), sync };
  writeFileSync(join(folder, 'eyeline.yaml'), stringify({ device: { id: 'door', site: 'lobby' }, gallery }));
  const run = async (...args: string[]) => {
    const program = new Command('eyeline').exitOverride();
    const { context, printed } = commandContext();
    registerGallery(program, context);
    await program.parseAsync(['gallery', ...args, '-c', join(folder, 'eyeline.yaml')], { from: 'user' });
    return printed.join('\n');
  };
  // Without templates, which would have to be of the encoder configured.
  const publishAs = async (consentNote: string) => {
    const changes = { consentNote, retainUntilMs: null, templates: [] };
    await put(['anna', 'ben', 'carl'].map((id) => person(id, 0, changes)));
    await release({ nowMs: Date.now() });
    await run('sync');
  };
  await publishAs('form 1');
  await publishAs('form 2');
  await run('remove', 'anna');
  expect(await run('rollback')).toBe(
    'went back to version 1 of lobby; only a version after 2 is taken over now; 1 person stays deleted',
  );
  await publishAs('form 3');
  await run('remove', 'ben');
  await run('remove', 'carl');
  const told = JSON.parse(await run('rollback', '--json'));
  expect(told).toEqual({ site: 'lobby', version: 1, left: 3, stayDeleted: 2 });
});
