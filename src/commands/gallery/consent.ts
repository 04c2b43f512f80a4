import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import type { PersonRecord } from '../../gallery/template.ts';
import type { CommandContext } from '../command.ts';
import { eraseWithVisitors } from '../configured.ts';
import { dayOf, parseEnd, parseTime } from './day.ts';
import { type GalleryOptions, withStore } from './with-store.ts';

interface ConsentOptions extends GalleryOptions {
  readonly at?: number;
  readonly note?: string;
  /** False for `--no-until`. */
  readonly until?: number | false;
  readonly withdrawn?: boolean;
}

/** `eyeline gallery consent PERSON` and `eyeline gallery expire`. */
export function registerConsent(gallery: Command, context: CommandContext): void {
  gallery
    .command('consent')
    .description('Records what a person consented to and until when they may be kept, and shows it.')
    .argument('<person>', 'id or name')
    .option('--at <date>', 'when consent was given; now, with --note alone', parseTime)
    .option('--note <text>', 'what was consented to, and how: "form 12, signed"')
    .option('--until <date>', 'last day the person is kept', parseEnd)
    .option('--no-until', 'kept without a limit')
    .option('--withdrawn', 'consent is gone; whoever may not be kept without it has to be removed as well')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the person as JSON')
    .action(async (idOrName: string, options: ConsentOptions) => {
      const { at, note, until, withdrawn } = options;
      if (withdrawn && (at !== undefined || note !== undefined)) {
        throw new EyelineError('USAGE', '--withdrawn goes with neither --at nor --note');
      }
      const givenAtMs = at ?? (note === undefined ? undefined : systemClock.now());
      await withStore(options, context, (store) => {
        const person = store.setConsent(idOrName, {
          ...(givenAtMs !== undefined && { consentAtMs: givenAtMs }),
          ...(note !== undefined && { consentNote: note }),
          ...(withdrawn && { consentAtMs: null, consentNote: null }),
          ...(until !== undefined && { retainUntilMs: until === false ? null : until }),
        });
        context.print(options.json ? JSON.stringify(person, null, 2) : consentText(person));
      });
    });
  gallery
    .command('expire')
    .description('Removes everybody whose last day is past. A running daemon does the same by itself.')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print who was removed as JSON')
    .action(async (options: GalleryOptions) => {
      await withStore(options, context, (store, configured) => {
        eraseWithVisitors(configured, () => {
          const removed = store.removeExpired();
          if (options.json) context.print(JSON.stringify({ removed }, null, 2));
          else context.print(removed.length === 0 ? 'nobody is past their last day' : `removed ${removed.join(', ')}`);
          return removed;
        });
      });
    });
}

function consentText({ id, name, consentAtMs, consentNote, retainUntilMs }: PersonRecord): string {
  const consent =
    consentAtMs === null
      ? 'no consent recorded'
      : `consent of ${dayOf(consentAtMs)}${consentNote === null ? '' : ` (${consentNote})`}`;
  const kept = retainUntilMs === null ? 'kept without a limit' : `kept until ${new Date(retainUntilMs).toISOString()}`;
  return `${id}: ${name}, ${consent}, ${kept}`;
}
