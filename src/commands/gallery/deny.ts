import type { Command } from 'commander';
import type { CommandContext } from '../command.ts';
import { type Configured, openGallery, withVisitors } from '../configured.ts';
import type { GalleryOptions } from './with-store.ts';

interface DenyOptions extends GalleryOptions {
  readonly person?: string;
}

/** `eyeline gallery deny|denied|allow`: who a track was not. */
export function registerDeny(gallery: Command, context: CommandContext): void {
  withOptions(
    gallery
      .command('deny')
      .description(
        'Notes that a track was not the person it was named: a face like it is not taken for that person any more. A running ' +
          'daemon goes by it at once.',
      )
      .argument('<track>', 'as events have it')
      .option('--person <person>', 'id or name of who it is not, when not the one it was named'),
  ).action(async (track: string, options: DenyOptions) => {
    await withVisitors(options, context, (store, configured) => {
      const said = options.person === undefined ? undefined : idOf(options.person, configured);
      const person = store.deny(track, said);
      context.print(options.json ? JSON.stringify({ track, person }) : `${track} is not ${person}`);
    });
  });
  withOptions(gallery.command('denied').description('Lists the tracks that were said not to be somebody.')).action(
    async (options: DenyOptions) => {
      await withVisitors(options, context, (store) => {
        const denials = store.listDenials();
        if (options.json) {
          context.print(JSON.stringify({ file: store.file, denials }, null, 2));
          return;
        }
        for (const { track, person, deniedAtMs } of denials) {
          context.print(`${track} is not ${person}, said ${new Date(deniedAtMs).toISOString()}`);
        }
        context.print(`${denials.length} ${denials.length === 1 ? 'track' : 'tracks'} in ${store.file}`);
      });
    },
  );
  withOptions(
    gallery
      .command('allow')
      .description('Takes back what was said of a person with `gallery deny`.')
      .argument('<person>', 'id'),
  ).action(async (person: string, options: DenyOptions) => {
    await withVisitors(options, context, (store) => {
      const tracks = store.allow(person);
      context.print(options.json ? JSON.stringify({ person, tracks }) : `${person}: ${tracks} taken back`);
    });
  });
}

/** A denial of somebody who is not enrolled would keep nobody out. Throws PERSON_UNKNOWN. */
function idOf(idOrName: string, configured: Configured): string {
  const gallery = openGallery(configured, false);
  try {
    return gallery.person(idOrName).id;
  } finally {
    gallery.close();
  }
}

function withOptions(command: Command): Command {
  return command.option('-c, --config <file>', 'configuration file').option('--json', 'print JSON');
}
