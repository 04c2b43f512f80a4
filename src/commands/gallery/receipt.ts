import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { ERRORS, EyelineError, messageOf } from '../../core/errors.ts';
import { readTrustedKeys } from '../../gallery/bundle/bundle-keys.ts';
import { type Receipt, readReceipt, receiptName } from '../../gallery/sync/receipt.ts';
import type { CommandContext } from '../command.ts';
import { loadConfigured } from '../configured.ts';
import { type MasterOptions, master, withMaster } from './with-master.ts';

interface ReceiptOptions extends MasterOptions {
  readonly key: readonly string[];
  readonly person: readonly string[];
}

/** `eyeline gallery receipt FILE`: what the master of a fleet does with what its devices sign. */
export function registerReceipt(gallery: Command, context: CommandContext): void {
  master(gallery.command('receipt'))
    .description(
      'Checks signed receipts of deletions and says who was deleted: those whose deletion the master gallery knows are named.',
    )
    .argument('<file>', 'as `eyeline gallery receipts` prints them, or what the device tells on its topic gallery/sync')
    .requiredOption('--key <key>', 'public key of a device, ed25519:…; may be repeated', collect)
    .option('--person <id>', 'who must be among them; may be repeated', collect, [])
    .addHelpText('after', '\nEnds with 5 when a receipt is not signed by a device named, or a person is in none.')
    .action((file: string, options: ReceiptOptions) => check(file, options, context));
}

async function check(file: string, options: ReceiptOptions, context: CommandContext): Promise<void> {
  const devices = readTrustedKeys(options.key);
  const receipts = (await receiptsIn(file)).map((text) => readReceipt(text, devices));
  const known = new Set([...options.person, ...(await deletedPeople(options, context))]);
  const told = receipts.map((receipt) => {
    const names = new Map([...known].map((id) => [receiptName(receipt.stream, id), id]));
    const people = receipt.people.map((name) => ({ name, id: names.get(name) ?? null }));
    return { ...receipt, people };
  });
  const missing = options.person.filter((id) => !told.some(({ people }) => people.some((it) => it.id === id)));
  if (options.json) context.print(JSON.stringify({ receipts: told, missing }, null, 2));
  else for (const receipt of told) context.print(described(receipt));
  for (const id of missing) context.warn(`no receipt says that ${id} was deleted`);
  if (missing.length > 0) context.exitWith(ERRORS.PERSON_UNKNOWN.exit);
}

/** One receipt a line, or the message that holds one. */
async function receiptsIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new EyelineError('USAGE', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new EyelineError('BUNDLE_CORRUPT', `${file} holds no receipt`);
  return lines.map(receiptOf);
}

/** A line as it is, or the receipt of a report over MQTT. */
function receiptOf(line: string): string {
  try {
    const { receipt } = JSON.parse(line) as { receipt?: unknown };
    return typeof receipt === 'string' ? receipt : line;
  } catch {
    // Is refused when it is opened.
    return line;
  }
}

/** Whose deletion the master gallery knows, where there is one. */
async function deletedPeople(options: ReceiptOptions, context: CommandContext): Promise<readonly string[]> {
  const { config } = await loadConfigured(options, context);
  if (options.master === undefined && !existsSync(config.gallery.file)) return [];
  let ids: readonly string[] = [];
  await withMaster(options, context, async (from) => {
    ids = (await from.tombstones()).map(({ id }) => id);
  });
  return ids;
}

function described({
  device,
  site,
  version,
  deletedAtMs,
  people,
}: Omit<Receipt, 'people'> & {
  readonly people: readonly { readonly name: string; readonly id: string | null }[];
}): string {
  const who = people.map(({ id, name }) => id ?? `somebody unknown (${name.slice(0, 16)}…)`).join(', ');
  return `${device} deleted ${who} at ${new Date(deletedAtMs).toISOString()} with version ${version} of ${site}`;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}
