import type { Command } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { EyelineError } from '../../core/errors.ts';
import type { FleetMember } from '../../gallery/sync/join-fleet.ts';
import { fingerprintOf } from '../../inference/manifest.ts';
import { createModelStore } from '../../inference/store.ts';
import { openFleetMember } from '../../wiring/open-fleet-member.ts';
import type { CommandContext } from '../command.ts';
import { loadConfigured } from '../configured.ts';
import type { GalleryOptions } from './with-store.ts';

/** What a device of a fleet does: `eyeline gallery sync`, `rollback` and `receipts`. */
export function registerSync(gallery: Command, context: CommandContext): void {
  gallery
    .command('sync')
    .description("Takes the fleet's newest version of the gallery over. A running daemon does that by itself.")
    .option('--new-master', 'accept another master gallery than that of the versions before')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the result as JSON')
    .action(async (options: GalleryOptions & { newMaster?: boolean }) => {
      await withMember(options, context, async (member) => {
        const found = await member.source.announcement(null, context.signal);
        const { bytes, outcome, state } = await member.takeOver(found?.text ?? '', context.signal);
        const { version, site } = state;
        if (options.json) return context.print(JSON.stringify({ outcome, site, version, bytes }, null, 2));
        const texts = {
          taken: `version ${version} of ${site} was taken over (${(bytes / 1000).toFixed(1)} kB)`,
          current: `version ${version} of ${site} is the newest`,
          held: `version ${version} of ${site} stays: version ${state.floor} was rolled back, a newer one is waited for`,
        };
        context.print(texts[outcome]);
      });
    });
  gallery
    .command('rollback')
    .description('Goes back to the version before. Who was deleted stays deleted; the version left is not taken again.')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the result as JSON')
    .action(async (options: GalleryOptions) => {
      await withMember(options, context, async (member) => {
        const { state, stayDeleted } = await member.rollBack();
        const { floor, site, version } = state;
        if (options.json) return context.print(JSON.stringify({ site, version, left: floor, stayDeleted }, null, 2));
        const people = stayDeleted === 1 ? '1 person stays deleted' : `${stayDeleted} people stay deleted`;
        context.print(
          `went back to version ${version} of ${site}; only a version after ${floor} is taken over now` +
            (stayDeleted > 0 ? `; ${people}` : ''),
        );
      });
    });
  gallery
    .command('receipts')
    .description('Prints the signed receipts of the deletions the fleet has asked for, one a line.')
    .option('-c, --config <file>', 'configuration file')
    .action(async (options: GalleryOptions) => {
      await withMember(options, context, async (member) => {
        for (const receipt of member.receipts()) context.print(receipt);
      });
    });
}

async function withMember(
  options: GalleryOptions & { newMaster?: boolean },
  context: CommandContext,
  work: (member: FleetMember) => Promise<void>,
): Promise<void> {
  const { newMaster = false } = options;
  const { config, logger, key } = await loadConfigured(options, context);
  const models = await createModelStore({ dir: config.models.dir, extraManifest: config.models.manifest, logger });
  const encoder = fingerprintOf(models.entry(config.models.encoder));
  const member = await openFleetMember(config, context.env, logger, { clock: systemClock, key, encoder, newMaster });
  if (!member) throw new EyelineError('SYNC_NOT_CONFIGURED', 'gallery.sync.url is not set: this device is in no fleet');
  try {
    await work(member);
  } finally {
    await member.source.close();
  }
}
