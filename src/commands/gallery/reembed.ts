import type { Command } from 'commander';
import type { Config } from '../../config/schema.ts';
import { ERRORS } from '../../core/errors.ts';
import type { Logger } from '../../core/logger.ts';
import {
  type EncoderForPart,
  type EnrolAgain,
  listEnrolAgain,
  type ReembedOptions,
  reembed,
} from '../../gallery/reembed.ts';
import type { EnrolledPicture } from '../../gallery/template.ts';
import type { CommandContext } from '../command.ts';
import { type GalleryOptions, withStore } from './with-store.ts';

const EXIT_INTERRUPTED = 130;
const PROGRESS_EVERY = 100;

/** The encoders in use, open. */
export interface CropEmbedder {
  readonly encoders: readonly EncoderForPart[];
  readonly embedCrop: ReembedOptions['embed'];
  close(): Promise<void>;
}

/** `eyeline gallery reembed`. */
export function registerReembed(
  gallery: Command,
  context: CommandContext,
  openEmbedder: (config: Config, logger: Logger) => Promise<CropEmbedder> = openConfigured,
): void {
  gallery
    .command('reembed')
    .description(
      'Makes the templates that the encoders in use lack, from the face crops that are kept (gallery.keepCrops), and names whoever ' +
        'has to be enrolled again because there are none.',
    )
    .option('--dry-run', 'only name who would have to be enrolled again')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nEnds with 0 when everybody can be recognised, 5 when somebody has to be enrolled again.')
    .action(async (options: GalleryOptions & { readonly dryRun?: boolean }) => {
      await withStore(options, context, async (store, { config, logger }) => {
        const embedder = await openEmbedder(config, logger);
        try {
          const { encoders, embedCrop: embed } = embedder;
          const onProgress = (done: number, of: number) => {
            if (!options.json && done % PROGRESS_EVERY === 0) context.print(`${done} of ${of} pictures`);
          };
          const result = options.dryRun
            ? {
                templates: 0,
                pictures: 0,
                people: 0,
                enrolAgain: listEnrolAgain(store.pictures().map(madeOfCrop(encoders)), encoders),
              }
            : await reembed({ store, encoders, embed, signal: context.signal, onProgress });
          if (options.json) context.print(JSON.stringify({ file: store.file, ...result }, null, 2));
          else {
            const { templates, pictures, people } = result;
            context.print(`${templates} templates made of ${pictures} pictures of ${people} people`);
            for (const line of result.enrolAgain.map(againText)) context.print(line);
          }
          if (context.signal.aborted) context.exitWith(EXIT_INTERRUPTED);
          else if (result.enrolAgain.length > 0) context.exitWith(ERRORS.GALLERY_ENCODER_MISMATCH.exit);
        } finally {
          await embedder.close();
        }
      });
    });
}

/** The picture as it would be after a run. */
function madeOfCrop(encoders: readonly EncoderForPart[]) {
  const all = encoders.map(({ fingerprint }) => fingerprint);
  return (it: EnrolledPicture): EnrolledPicture => (it.hasCrop ? { ...it, encoders: [...it.encoders, ...all] } : it);
}

function againText({ person, parts, files }: EnrolAgain): string {
  const lacking = parts.map((part) => (part === 'full' ? 'the whole face' : 'the upper part')).join(' and ');
  return `enrol again  ${person.id}: ${person.name}, no template of ${lacking}; enrolled before from ${files.join(', ')}`;
}

async function openConfigured(config: Config, logger: Logger): Promise<CropEmbedder> {
  const { openFaceReader } = await import('../../wiring/open-faces.ts');
  return openFaceReader(config, logger);
}
