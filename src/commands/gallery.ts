import { keyOfFile } from '../gallery/gallery-key.ts';
import type { SqliteGalleryStore } from '../gallery/sqlite-gallery-store.ts';
import type { PersonRecord } from '../gallery/template.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import { eraseWithVisitors, rotateWithVisitors } from './configured.ts';
import { registerAudit } from './gallery/audit.ts';
import { registerConsent } from './gallery/consent.ts';
import { registerDeny } from './gallery/deny.ts';
import { registerPortable } from './gallery/portable.ts';
import { registerPublish } from './gallery/publish.ts';
import { registerReceipt } from './gallery/receipt.ts';
import { registerReembed } from './gallery/reembed.ts';
import { registerSync } from './gallery/sync.ts';
import { type GalleryOptions, withStore } from './gallery/with-store.ts';

/** `eyeline gallery …`: who is enrolled, and what becomes of them. */
export const registerGallery: RegisterCommand = (program, context) => {
  const gallery = program.command('gallery').description('Shows and changes who is enrolled.');
  gallery
    .command('list')
    .description('Lists the people enrolled, with the number of their templates.')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the list as JSON')
    .action(async (options: GalleryOptions) => {
      await withStore(options, context, (store) => list(store, options, context));
    });
  registerDeny(gallery, context);
  gallery
    .command('remove')
    .description('Removes a person and all templates. A running daemon forgets the person by itself.')
    .argument('<person>', 'id or name')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print what was removed as JSON')
    .action(async (person: string, options: GalleryOptions) => {
      await withStore(options, context, (store, configured) => {
        eraseWithVisitors(configured, () => {
          const removed = store.removePerson(person);
          context.print(options.json ? JSON.stringify(removed, null, 2) : `removed ${described(removed)}`);
          return [removed.id];
        });
      });
    });
  gallery
    .command('rotate-key')
    .description('Encrypts all templates anew, under a new data key, and with --to under another gallery key as well.')
    .option(
      '--to <file>',
      'file with the gallery key to change to, made where there is none; configure it as gallery.key',
    )
    .option('-c, --config <file>', 'configuration file')
    .action(async (options: GalleryOptions & { to?: string }) => {
      await withStore(options, context, (store, configured) => {
        const key = options.to ? keyOfFile(options.to, true, context.warn) : undefined;
        const templates = rotateWithVisitors(configured, key, () => store.rotateKey(key));
        context.print(`encrypted ${templates} templates anew`);
        if (options.to) context.print(`set gallery.key: { file: ${options.to} }, and restart the daemon`);
      });
    });
  registerConsent(gallery, context);
  registerAudit(gallery, context);
  registerPublish(gallery, context);
  registerSync(gallery, context);
  registerReceipt(gallery, context);
  registerReembed(gallery, context);
  registerPortable(gallery, context);
};

function list(store: SqliteGalleryStore, { json }: GalleryOptions, context: CommandContext): void {
  const people = store.listPeople();
  if (json) {
    context.print(JSON.stringify({ file: store.file, version: store.version(), people }, null, 2));
    return;
  }
  for (const person of people) context.print(described(person));
  context.print(
    `${people.length} ${people.length === 1 ? 'person' : 'people'} in ${store.file}, version ${store.version()}`,
  );
}

function described({ id, name, templates, encoders }: PersonRecord): string {
  const by = encoders.length > 0 ? `, encoder ${encoders.map((it) => it.slice(0, 8)).join(' and ')}` : '';
  return `${id}: ${name}, ${templates} ${templates === 1 ? 'template' : 'templates'}${by}`;
}
