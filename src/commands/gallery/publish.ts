import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../../core/clock.ts';
import { EyelineError, messageOf } from '../../core/errors.ts';
import { announceRetained } from '../../events/mqtt-announcer.ts';
import { announcementTopic } from '../../events/topics.ts';
import { isSite } from '../../gallery/bundle/bundle-format.ts';
import { generateSigningKey, readSigningKey } from '../../gallery/bundle/bundle-keys.ts';
import { createKeyFile, createSecretFile, keyOfFile } from '../../gallery/gallery-key.ts';
import type { BundleShelf } from '../../gallery/master/bundle-shelf.ts';
import { folderShelf } from '../../gallery/master/folder-shelf.ts';
import { publish, setSites } from '../../gallery/master/publish.ts';
import { s3Shelf } from '../../gallery/master/s3-shelf.ts';
import { readMqttAccess } from '../../wiring/create-publisher.ts';
import type { CommandContext } from '../command.ts';
import { type MasterOptions, master, withMaster } from './with-master.ts';
import type { GalleryOptions } from './with-store.ts';

interface PublishCommandOptions extends MasterOptions {
  readonly to: string;
  readonly keys: string;
  readonly site?: string;
  readonly validDays: number;
  readonly deltas: number;
  readonly announce?: boolean;
}

const SIGNING_FILE = 'signing.pem';
const BODY_FILE = 'bundle.key';

/** What the master of a fleet does: `eyeline gallery keygen`, `publish`, `site` and `copy`. */
export function registerPublish(gallery: Command, context: CommandContext): void {
  gallery
    .command('keygen')
    .description('Makes the keys of a fleet: one that signs (keep it with the master alone), one that encrypts.')
    .argument('<folder>', 'where they are written, made when there is none')
    .option('--json', 'print the public key as JSON')
    .action((folder: string, { json }: { json?: boolean }) => keygen(folder, json ?? false, context));
  master(gallery.command('publish'))
    .description('Publishes the gallery as a signed version that the devices of a site take over.')
    .requiredOption('--to <target>', 'folder that a web server serves, or s3://bucket/prefix')
    .requiredOption('--keys <folder>', 'folder that `eyeline gallery keygen` filled')
    .option('--site <site>', 'site to publish for; device.site of the configuration without', site)
    .option('--valid-days <n>', 'devices take the version over for so long', wholeNumber, 30)
    .option('--deltas <n>', 'from so many versions before there are deltas', wholeNumber, 5)
    .option('--announce', 'tell the devices over MQTT (mqtt of the configuration)')
    .action((options: PublishCommandOptions) => publishTo(options, context));
  master(gallery.command('site'))
    .description('Sets which sites a person is published to; everybody is published to all sites unless told.')
    .argument('<person>', 'id')
    .argument('[sites...]', 'sites; all when none is named')
    .action(async (person: string, sites: readonly string[], options: MasterOptions) => {
      for (const it of sites) site(it);
      await withMaster(options, context, async (from) => {
        const where = sites.length > 0 ? sites : null;
        await setSites(from, person, where);
        if (options.json) context.print(JSON.stringify({ person, sites: where }));
        else context.print(`${person} is published to ${where?.join(', ') ?? 'all sites'}`);
      });
    });
  gallery
    .command('copy')
    .description('Copies everybody of the gallery, and who was deleted, into a PostgreSQL master gallery.')
    .requiredOption('--to <url>', 'postgres://host/database; PGPASSWORD or ~/.pgpass hold the password')
    .option('-c, --config <file>', 'configuration file')
    .action(async ({ to, ...options }: GalleryOptions & { to: string }) => {
      await withMaster(options, context, (from) =>
        withMaster({ ...options, master: to }, context, async (target) => {
          const people = [];
          for await (const person of from.everybody()) people.push(person);
          const tombstones = await from.tombstones();
          await target.put(people, tombstones);
          context.print(`copied ${people.length} people and ${tombstones.length} deletions`);
        }),
      );
    });
}

function keygen(folder: string, json: boolean, context: CommandContext): void {
  const made = generateSigningKey();
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Neither replaces a key that is there: what it encrypted or who trusts it would be lost.
    createSecretFile(join(folder, SIGNING_FILE), made.pem);
    createKeyFile(join(folder, BODY_FILE));
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${folder}: ${messageOf(error)}`, { cause: error });
  }
  const { publicKey, id } = signingKeyIn(folder);
  if (json) {
    context.print(JSON.stringify({ folder, keyId: id, publicKey }, null, 2));
    return;
  }
  context.print(`keys in ${folder}: ${SIGNING_FILE} (id ${id}) stays with the master; devices get ${BODY_FILE} and`);
  context.print(`gallery:\n  sync:\n    trust: ["${publicKey}"]\n    keys: [{ file: ${BODY_FILE} }]`);
}

async function publishTo(options: PublishCommandOptions, context: CommandContext): Promise<void> {
  const keys = {
    signing: signingKeyIn(options.keys),
    body: keyOfFile(join(options.keys, BODY_FILE), false, context.warn),
  };
  const shelf = shelfOf(options.to, context.env);
  try {
    await withMaster(options, context, async (from, config) => {
      const to = options.site ?? config.device.site;
      const { validDays, deltas } = options;
      const published = await publish(from, shelf, { site: to, keys, nowMs: systemClock.now(), validDays, deltas });
      const topic = announcementTopic(config.mqtt.prefix, to);
      if (options.announce) {
        const access = await readMqttAccess(config, context.env, context.warn);
        await announceRetained(topic, published.announcement, access);
      }
      const { announcement: _, ...result } = published;
      if (options.json) {
        const announcedOn = options.announce ? topic : null;
        return context.print(JSON.stringify({ site: to, to: options.to, ...result, announcedOn }, null, 2));
      }
      const [full, ...others] = published.bundles;
      const sizes = `${kilobytes(full?.bytes ?? 0)} in full, ${others.length} deltas`;
      context.print(
        published.isNew
          ? `published version ${published.version} for ${to}: ${published.people} people, ${published.tombstones} deleted, ${sizes}`
          : `nothing has changed for ${to}: version ${published.version} stays`,
      );
      if (options.announce) context.print(`announced on ${topic}`);
    });
  } finally {
    shelf.close();
  }
}

function shelfOf(target: string, env: NodeJS.ProcessEnv): BundleShelf {
  const s3 = /^s3:\/\/([^/]+)(?:\/(.*?))?\/*$/.exec(target);
  if (!s3) return folderShelf(target);
  // A server of one's own has no host name for every bucket.
  return s3Shelf(s3[1] ?? '', s3[2] ?? '', {
    forcePathStyle: Boolean(env.AWS_ENDPOINT_URL ?? env.AWS_ENDPOINT_URL_S3),
  });
}

function signingKeyIn(folder: string) {
  const file = join(folder, SIGNING_FILE);
  try {
    return readSigningKey(readFileSync(file, 'utf8'), file);
  } catch (error) {
    if (error instanceof EyelineError) throw error;
    throw new EyelineError('BUNDLE_KEY_INVALID', `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function site(text: string): string {
  if (!isSite(text)) throw new InvalidArgumentError(`"${text}" is no site: small letters, digits, "-" and "_"`);
  return text;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError('a whole number is expected');
  return number;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
