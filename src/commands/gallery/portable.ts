import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { importPeople } from '../../gallery/import-people.ts';
import { readPortable, writePortable } from '../../gallery/portable-file.ts';
import type { CommandContext } from '../command.ts';
import { type GalleryOptions, withStore } from './with-store.ts';

const OWNER_ONLY = 0o600;
const PASSPHRASE = 'EYELINE_PASSPHRASE';
const LEAST_LENGTH = 12;

interface PortableOptions extends GalleryOptions {
  readonly passphraseFile?: string;
  readonly unencrypted?: boolean;
  readonly person?: readonly string[];
  readonly replace?: boolean;
}

/** `eyeline gallery export FILE` and `eyeline gallery import FILE`. */
export function registerPortable(gallery: Command, context: CommandContext): void {
  gallery
    .command('export')
    .description('Writes people with their templates into one file, encrypted with a passphrase.')
    .argument('<file>', 'must not exist')
    .option('--passphrase-file <file>', `file with the passphrase; otherwise the variable ${PASSPHRASE} has it`)
    .option('--unencrypted', 'whoever gets the file can read it: the first line says so')
    .option('--person <id...>', 'only these people')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print what was written as JSON')
    .action(async (file: string, options: PortableOptions) => {
      const passphrase = options.unencrypted ? null : await passphraseOf(options, context);
      if (passphrase !== null && passphrase.length < LEAST_LENGTH) {
        throw new EyelineError('USAGE', `a passphrase has at least ${LEAST_LENGTH} characters`);
      }
      await withStore(options, context, async (store) => {
        const { people } = store.changesSince(0);
        const unknown = options.person?.find((id) => !people.some((person) => person.id === id));
        if (unknown !== undefined) throw new EyelineError('PERSON_UNKNOWN', `no person has the id "${unknown}"`);
        const chosen = people.filter(({ id }) => options.person?.includes(id) ?? true);
        const bytes = writePortable(chosen, systemClock.now(), passphrase);
        await write(file, bytes);
        store.noteExport(chosen.length, { file: basename(file), encrypted: passphrase !== null });
        const facts = { file, people: chosen.length, bytes: bytes.length, encrypted: passphrase !== null };
        if (passphrase === null) context.warn(`${file} is not encrypted: whoever gets it can read the templates`);
        context.print(options.json ? JSON.stringify(facts, null, 2) : `${chosen.length} people in ${file}`);
      });
    });
  gallery
    .command('import')
    .description(
      'Takes people up from a file of `gallery export`, and says who was left out and why. Folders of pictures, as Double Take, ' +
        'Frigate and CompreFace have them, are imported by `eyeline enroll`.',
    )
    .argument('<file>', 'what `gallery export` wrote')
    .option('--passphrase-file <file>', `file with the passphrase; otherwise the variable ${PASSPHRASE} has it`)
    .option('--replace', 'people enrolled here already get the data and templates of the file')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the report as JSON')
    .action(async (file: string, options: PortableOptions) => {
      const bytes = await readFile(file).catch((error) => {
        throw new EyelineError('GALLERY_FILE_INVALID', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
      });
      const people = await readPortable(bytes, file, () => passphraseOf(options, context));
      await withStore(
        options,
        context,
        (store) => {
          const detail = { file: basename(file) };
          const replace = options.replace ?? false;
          const result = importPeople(store, people, { nowMs: systemClock.now(), replace, detail });
          if (options.json) context.print(JSON.stringify({ file: store.file, ...result }, null, 2));
          else {
            for (const { id, name, reason } of result.skipped) context.print(`skipped   ${id}: ${name} ${reason}`);
            const skipped = result.skipped.length > 0 ? `, ${result.skipped.length} skipped` : '';
            context.print(`${result.people.length} people with ${result.templates} templates imported${skipped}`);
          }
        },
        true,
      );
    });
}

async function passphraseOf({ passphraseFile }: PortableOptions, { env }: CommandContext): Promise<string> {
  const given = env[PASSPHRASE];
  if (passphraseFile === undefined) {
    if (given) return given;
    throw new EyelineError('USAGE', `give --passphrase-file, or the passphrase in the variable ${PASSPHRASE}`);
  }
  try {
    return (await readFile(passphraseFile, 'utf8')).trim();
  } catch (error) {
    throw new EyelineError('SECRET_UNREADABLE', `${passphraseFile} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function write(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFile(file, bytes, { flag: 'wx', mode: OWNER_ONLY, flush: true });
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}
