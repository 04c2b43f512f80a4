import { createHash } from 'node:crypto';
import { EyelineError } from '../core/errors.ts';
import { toBytes } from '../gallery/embedding-bytes.ts';
import type { Template } from '../gallery/template.ts';
import type { TrackTemplate, Visitor } from '../gallery/visitor.ts';
import type { RegisterCommand } from './command.ts';
import { openGallery, withVisitors } from './configured.ts';
import { parseName } from './enroll.ts';

interface VisitorOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Sightings of a visitor shown in a list, newest first; `--json` has all. */
const SHOWN_SIGHTINGS = 3;

/** `eyeline visitors list|name|forget`. */
export const registerVisitors: RegisterCommand = (program, context) => {
  const visitors = program
    .command('visitors')
    .summary('show, name and forget unknown people')
    .description('Shows the unknown people who came, names them, and forgets them.');
  withOptions(
    visitors
      .command('list')
      .description('Lists unknown visitors, those seen last first, with the tracks of their events.')
      .option('--named', 'those who were named, too'),
  ).action(async (options: VisitorOptions & { readonly named?: boolean }) => {
    await withVisitors(options, context, (store) => {
      const found = store.list({ named: options.named ?? false });
      if (options.json) {
        context.print(JSON.stringify({ file: store.file, visitors: found }, null, 2));
        return;
      }
      for (const visitor of found) context.print(described(visitor));
      context.print(`${found.length} ${found.length === 1 ? 'visitor' : 'visitors'} in ${store.file}`);
    });
  });
  withOptions(
    visitors
      .command('name')
      .description(
        'Enrols a visitor under a name, from what the cameras saw: a running daemon knows them from then on. A name that is ' +
          'enrolled already gets the templates added.',
      )
      .argument('<visitor>', 'id, as events and the list have it')
      .argument('<name>', 'of the person', parseName),
  ).action(async (id: string, name: string, options: VisitorOptions) => {
    await withVisitors(options, context, (store, configured) => {
      const visitor = store.get(id);
      if (visitor.person !== null)
        throw new EyelineError('USAGE', `visitor ${id} was named already: ${visitor.person}`);
      const templates = store.templatesOf(id);
      if (templates.length === 0) {
        const why = visitor.templates > 0 ? 'is encrypted with another gallery.key' : 'is not kept';
        throw new EyelineError('VISITOR_UNKNOWN', `what visitor ${id} looked like ${why}: nobody is enrolled`);
      }
      const gallery = openGallery(configured, true);
      try {
        const { person, added } = gallery.atOnce(() => {
          const person = gallery.ensurePerson(name);
          const enrolled = templates.map((template) => asEnrolled(id, template));
          return { person, added: gallery.addTemplates(person.id, enrolled) };
        });
        store.name(id, person.id);
        context.print(
          options.json
            ? JSON.stringify({ visitor: id, person, templates: added }, null, 2)
            : `${id} is ${person.name} (${person.id}), ${added} templates`,
        );
      } finally {
        gallery.close();
      }
    });
  });
  withOptions(
    visitors
      .command('forget')
      .description('Erases visitors with all that was kept of them.')
      .argument('[visitors...]', 'ids')
      .option('--all', 'everybody, and what is kept of tracks of people known'),
  ).action(async (ids: string[], options: VisitorOptions & { readonly all?: boolean }) => {
    if (options.all ? ids.length > 0 : ids.length === 0) {
      throw new EyelineError('USAGE', 'visitors forget: give ids, or --all');
    }
    await withVisitors(options, context, (store) => {
      for (const id of ids) store.get(id);
      for (const id of ids) store.forget(id);
      const forgotten = options.all ? store.forgetAll() : ids.length;
      context.print(options.json ? JSON.stringify({ forgotten }) : `${forgotten} forgotten`);
    });
  });
};

function withOptions(command: ReturnType<Parameters<RegisterCommand>[0]['command']>) {
  return command.option('-c, --config <file>', 'configuration file').option('--json', 'print JSON');
}

/** What a camera saw, as if it were a picture: the embedding itself stands for one that was never kept. */
function asEnrolled(visitor: string, { encoder, part, mask, embedding, quality }: TrackTemplate): Template {
  const pictureSha256 = createHash('sha256').update(toBytes(embedding)).digest('hex');
  return { encoder, part, embedding, quality, mask, sourceFile: `visitor ${visitor}`, pictureSha256 };
}

function described({ id, person, firstSeenAtMs, lastSeenAtMs, sightings, templates }: Visitor): string {
  const at = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');
  const named = person === null ? '' : ` is ${person}`;
  const times =
    sightings.length === 1
      ? `seen once, ${at(lastSeenAtMs)}`
      : `seen ${sightings.length} times, ${at(firstSeenAtMs)} to ${at(lastSeenAtMs)}`;
  const tracks = sightings.slice(0, SHOWN_SIGHTINGS).map(({ track }) => track);
  const more = sightings.length > SHOWN_SIGHTINGS ? ', …' : '';
  return `${id}${named}: ${times} UTC, ${templates} ${templates === 1 ? 'template' : 'templates'}; tracks ${tracks.join(', ')}${more}`;
}
