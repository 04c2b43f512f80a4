import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { registerGallery } from '../../src/commands/gallery.ts';
import { signReceipt } from '../../src/gallery/sync/receipt.ts';
import { commandContext } from '../rig/command-context.ts';
import { newSigner } from './fleet-rig.ts';
import { axis, openStore, template, temporaryFolder } from './gallery-rig.ts';

const [door, stranger] = [newSigner(), newSigner()];
const FACTS = { device: 'door', stream: 'stream-1', site: 'harbour', version: 3, deletedAtMs: Date.UTC(2026, 10, 2) };

/** Checks the text with what the master gallery knows: that anna was deleted. */
async function check(text: string, ...more: string[]) {
  const folder = temporaryFolder();
  const gallery = join(folder, 'gallery.sqlite');
  const store = openStore(gallery);
  store.addTemplates(store.ensurePerson('Anna').id, [template(axis(8, 0))]);
  store.removePerson('anna');
  writeFileSync(join(folder, 'eyeline.yaml'), `gallery: { file: ${gallery} }\n`);
  writeFileSync(join(folder, 'receipts'), text);
  const recorded = commandContext();
  const { context, printed: out, warned: errors } = recorded;
  const program = new Command('eyeline').exitOverride().configureOutput({ writeErr: (line) => errors.push(line) });
  registerGallery(program, context);
  const args = ['gallery', 'receipt', join(folder, 'receipts'), '-c', join(folder, 'eyeline.yaml'), ...more];
  await program.parseAsync(args, { from: 'user' });
  return { out, errors, status: recorded.status };
}

it('names those whose deletion the master knows, and no others', async () => {
  const receipts = [
    signReceipt(FACTS, ['anna', 'ben'], door),
    JSON.stringify({ state: 'current', receipt: signReceipt({ ...FACTS, version: 4 }, ['ben'], door) }),
  ];
  const { out, status } = await check(receipts.join('\n'), '--key', door.publicKey);
  expect(out[0]).toMatch(
    /^door deleted anna, somebody unknown \([0-9a-f]{16}…\) at 2026-11-02T00:00:00.000Z with version 3 of harbour$/,
  );
  expect(out[1]).toMatch(/^door deleted somebody unknown .* with version 4 of harbour$/);
  expect(out).toHaveLength(2);
  expect(status).toBe(0);
});

it('takes a receipt of thousands of people, who were deleted at once', async () => {
  const people = Array.from({ length: 3000 }, (_, at) => `person-${at}`);
  const { status } = await check(signReceipt(FACTS, people, door), '--key', door.publicKey, '--person', 'person-2999');
  expect(status).toBe(0);
});

it('says who is in no receipt', async () => {
  const text = signReceipt(FACTS, ['anna', 'ben'], door);
  const found = await check(text, '--key', door.publicKey, '--person', 'ben', '--json');
  expect(JSON.parse(found.out[0] ?? '')).toMatchObject({
    receipts: [{ device: 'door', people: [{ id: 'anna' }, { id: 'ben' }] }],
    missing: [],
  });
  const lacking = await check(text, '--key', door.publicKey, '--person', 'carl');
  expect(lacking.errors).toEqual(['no receipt says that carl was deleted']);
  expect(lacking.status).toBe(5);
});

it.each([
  ['another key', signReceipt(FACTS, ['anna'], stranger), 'BUNDLE_UNTRUSTED', 'the receipt is not signed'],
  [
    'a changed receipt',
    signReceipt(FACTS, ['anna'], door).replace(/"payload":"(.)/, '"payload":"A'),
    'BUNDLE_UNTRUSTED',
    'the receipt is not signed',
  ],
  ['no receipt', 'hello', 'BUNDLE_CORRUPT', 'the receipt is no signed JSON'],
  ['nothing', '\n', 'BUNDLE_CORRUPT', 'holds no receipt'],
])('refuses %s', async (_, text, code, message) => {
  const checked = check(text, '--key', door.publicKey);
  await expect(checked).rejects.toMatchObject({ code });
  await expect(checked).rejects.toThrow(message);
});

it('needs the key of a device', async () => {
  await expect(check('')).rejects.toMatchObject({ code: 'commander.missingMandatoryOptionValue' });
  await expect(check('', '--key', 'abc')).rejects.toMatchObject({ code: 'BUNDLE_KEY_INVALID' });
});
