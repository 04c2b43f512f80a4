import { type Command, InvalidArgumentError } from 'commander';
import type { AuditEntry } from '../../gallery/audit-trail.ts';
import type { CommandContext } from '../command.ts';
import { parseTime } from './day.ts';
import { type GalleryOptions, withStore } from './with-store.ts';

interface AuditOptions extends GalleryOptions {
  readonly person?: string;
  readonly since?: number;
  readonly limit?: number;
}

/** `eyeline gallery audit`. */
export function registerAudit(gallery: Command, context: CommandContext): void {
  gallery
    .command('audit')
    .description('Shows who did what to the gallery, and when, oldest first.')
    .option('--person <id>', 'of one person, who may be gone')
    .option('--since <date>', 'from that day or time on', parseTime)
    .option('--limit <n>', 'only the newest so many', positive)
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the lines as JSON')
    .action(async (options: AuditOptions) => {
      await withStore(options, context, (store) => {
        const { person, since: sinceMs, limit } = options;
        const entries = store.audit({ person, sinceMs, limit });
        if (options.json) context.print(JSON.stringify({ file: store.file, entries }, null, 2));
        else for (const entry of entries) context.print(lineOf(entry));
      });
    });
}

function lineOf({ atMs, actor, action, person, version, detail }: AuditEntry): string {
  const more = Object.entries(detail)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return `${new Date(atMs).toISOString()} v${version} ${actor} ${action}${person === null ? '' : ` ${person}`}${more.join('')}`;
}

function positive(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('A positive whole number is expected.');
  return number;
}
