import { type Command, InvalidArgumentError, Option } from 'commander';
import { ALIGNMENT_POINTS } from '../faces/align.ts';
import type { CommandContext, RegisterCommand } from './command.ts';
import type { DetectCommand } from './eval/run-detect.ts';
import type { IdentifyCommand } from './eval/run-identify.ts';
import type { MaskCommand } from './eval/run-mask.ts';
import type { PairsCommand } from './eval/run-pairs.ts';
import type { StrangersCommand } from './eval/run-strangers.ts';
import type { StreamCommand } from './eval/run-stream.ts';
import type { SuiteCommand } from './eval/run-suite.ts';
import { TIGHT_CROP_PAD } from './eval/tight-crops.ts';

/** What a shell reports for a command ended by Ctrl-C. */
const EXIT_INTERRUPTED = 130;

/** `eyeline eval pairs|identify|mask|detect|stream|strangers|all`. */
export const registerEval: RegisterCommand = (program, context) => {
  const evaluate = program
    .command('eval')
    .summary('measure how well faces are recognised')
    .description('Measures how well faces are recognised, plain and masked, on pictures of known people.');

  withCommonOptions(
    evaluate
      .command('pairs')
      .summary('verification: are two pictures of one person?')
      .description(
        'Scores pairs of pictures. Of several faces the most central counts; a pair with a face that is not found counts ' +
          'as different people; pairs with missing or unreadable pictures are left out and counted.',
      )
      .requiredOption('--images <dir>', 'folder the pictures are in')
      .requiredOption('--pairs <file>', 'CSV file: a line "same,a,b", then 1 or 0 and two pictures a line')
      .addOption(encoderOption())
      .addOption(maskOption('nobody, the second picture of a pair, or both'))
      .option('--mask-seed <n>', 'decides the masks', wholeNumber, 1)
      .option('--pad <share>', 'black border around each picture, a share of its side', share, 0),
  ).action(async (options: PairsCommand) => {
    const { runPairs } = await import('./eval/run-pairs.ts');
    await unlessInterrupted(context, runPairs(options, context));
  });

  withCommonOptions(
    evaluate
      .command('identify')
      .summary('identification: whose face is it?')
      .description(
        'Looks for each probe in a gallery. DIR holds a folder a person, with pictures, or with plain/ and masked/ in it: ' +
          'then plain pictures are enrolled and masked ones looked for. Of several faces the largest counts; a probe whose ' +
          'face is not found counts as wrong.',
      )
      .requiredOption('--dir <dir>', 'folder of people')
      .addOption(encoderOption())
      .option(
        '--classifier <name>',
        'how an identity is told from a face: nearest, softmax, svm, hariri, or the folder of a run of classifier-head or ' +
          'hariri-bof, which is asked about pictures it was not trained on',
        'nearest',
      )
      .addOption(
        new Option('--probe <kind>', 'pictures to look for; plain: each among the others').choices(['masked', 'plain']),
      )
      .addOption(
        new Option(
          '--gallery <kind>',
          'plain pictures, or a half of all, plain and masked, with probes of the other half',
        )
          .choices(['plain', 'mixed'])
          .default('plain'),
      )
      .option('--split-seed <n>', 'decides the halves', wholeNumber, 1)
      .addOption(maskOption('nobody, the probes, or the gallery as well; for plain probes'))
      .option('--mask-seed <n>', 'decides the masks', wholeNumber, 1)
      .option('--limit <n>', 'only so many of the people, at even distances', wholeNumber)
      .option(
        '--pad <share>',
        `black border around each picture, a share of its side (default: ${TIGHT_CROP_PAD} with plain/ and masked/, which are taken for tight crops, else 0)`,
        share,
      ),
  ).action(async (options: IdentifyCommand) => {
    const { runIdentify } = await import('./eval/run-identify.ts');
    await unlessInterrupted(context, runIdentify(options, context));
  });

  const mask = evaluate
    .command('mask')
    .summary('mask states: is a mask worn, and rightly?')
    .description(
      'Counts how mask states are told. DIR holds a folder a person, with pictures (none wears a mask), or with plain/ and ' +
        'masked/ in it. Pictures without a face are counted and left out.',
    )
    .requiredOption('--dir <dir>', 'folder of people')
    .option('--simulate', 'also draw masks on plain pictures: one worn, one below the nose')
    .option('--mask-seed <n>', 'decides the masks', wholeNumber, 1)
    .option(
      '--pad <share>',
      `black border around each picture (default: ${TIGHT_CROP_PAD} with plain/ and masked/)`,
      share,
    )
    .option('--mistakes', 'name every picture that was told wrongly');
  withChainOptions(mask).action(async (options: MaskCommand) => {
    const { runMask } = await import('./eval/run-mask.ts');
    await unlessInterrupted(context, runMask(options, context));
  });

  withChainOptions(
    evaluate
      .command('detect')
      .summary('detection: are faces found?')
      .description(
        'Tells in how many pictures the face is found, by the least score that counts; or, in pictures without any, how many ' +
          'false ones.',
      )
      .requiredOption('--pictures <path>', 'folder of pictures with one face each, or a film')
      .addOption(
        new Option('--kind <name>', 'only pictures in folders of this name; they are taken for tight crops').choices([
          'plain',
          'masked',
        ]),
      )
      .addOption(
        new Option('--face <which>', 'the face in the middle of a picture is meant, or any')
          .choices(['central', 'any'])
          .default('central'),
      )
      .option('--no-faces', 'there are no faces in the pictures: count false ones')
      .option(
        '--against <path>',
        'pictures or a film without faces: tells also how many are found at one false find in 1,000',
      )
      .option('--mask', 'draw a mask on the most central face of each picture')
      .option('--mask-seed <n>', 'decides the masks', wholeNumber, 1)
      .option('--limit <n>', 'only so many of the pictures, at even distances', wholeNumber)
      .option(
        '--pad <share>',
        `black border around each picture, a share of its side (default: ${TIGHT_CROP_PAD} with --kind, else 0)`,
        share,
      ),
  ).action(async ({ faces, ...options }: Omit<DetectCommand, 'noFaces'> & { faces: boolean }) => {
    const { runDetect } = await import('./eval/run-detect.ts');
    await unlessInterrupted(context, runDetect({ ...options, noFaces: !faces }, context));
  });

  withChainOptions(
    evaluate
      .command('stream')
      .summary('decisions: who is named of those who walk by?')
      .description(
        'Has people walk by a camera: frames made of one still picture each, nearer and nearer, with wandering pose, light, ' +
          'focus and compression. The other pictures of a person are enrolled, in galleries of some people; to each of them ' +
          'everybody else is a stranger. Decisions are those of the daemon.',
      )
      .requiredOption('--dir <dir>', 'folder of people')
      .addOption(
        new Option('--mask <who>', 'whether those who walk by wear a simulated mask')
          .choices(['none', 'worn', 'both'])
          .default('both'),
      )
      .option('--far <rate>', 'instead of recognition.falseAcceptRate', rateBelowOne)
      .option('--people <n>', 'how many people, chosen at random', positive, 600)
      .option('--enrol <n>', 'most pictures enrolled of a person', positive, 3)
      .option('--gallery-size <n>', 'people of a gallery', positive, 20)
      .option('--deals <n>', 'how often people are dealt out to galleries', positive, 2)
      .option('--frames <n>', 'frames of a track', positive, 12)
      .option('--fps <n>', 'frames a second', positive, 10)
      .option('--seed <n>', 'decides people, galleries, walks and masks', wholeNumber, 1),
  ).action(async (options: StreamCommand) => {
    const { runStream } = await import('./eval/run-stream.ts');
    await unlessInterrupted(context, runStream(options, context));
  });

  withChainOptions(
    evaluate
      .command('strangers')
      .summary('calibration: do strangers of one population keep to what is claimed?')
      .description(
        'Enrols some of the people of a folder, at random and many times over, and compares the others with them: how often ' +
          'they reach the scores that stand for a false accept rate, by the scores as measured and as the daemon adapts them to ' +
          'each gallery; and how many comparisons of people with themselves do not.',
      )
      .requiredOption('--dir <dir>', 'folder of people')
      .option('--strangers <dir>', 'who comes, instead of the people who are not enrolled')
      .option('--encoder <id>', 'encoder of the manifest, instead of the one the daemon would use')
      .addOption(
        new Option('--probe <kind>', 'pictures of those who come; masked where there are any').choices([
          'masked',
          'plain',
        ]),
      )
      .addOption(
        new Option('--mask <who>', 'whether those who come wear a simulated mask')
          .choices(['none', 'probe'])
          .default('none'),
      )
      .option('--mask-seed <n>', 'decides the masks', wholeNumber, 1)
      .option('--most <n>', 'pictures read of a person', positive, 4)
      .option('--gallery-size <n>', 'people enrolled (default: half; all with --strangers)', positive)
      .option('--splits <n>', 'how often people are dealt out', positive, 20)
      .option('--seed <n>', 'decides who is enrolled', wholeNumber, 1),
  ).action(async (options: StrangersCommand) => {
    const { runStrangers } = await import('./eval/run-strangers.ts');
    await unlessInterrupted(context, runStrangers(options, context));
  });

  withCommonOptions(
    evaluate
      .command('all')
      .summary('every method on every data set of a suite')
      .description(
        'Measures every method on every data set of a suite and prints a table, in percent: accuracy and the true accept ' +
          'rate at FAR 1e-3 of pairs, rank 1 and the rate at FAR 1e-2 of people; with the command behind each figure.',
      )
      .requiredOption('--data <dir>', 'folder the paths of the suite are in')
      .option('--suite <file>', 'YAML file of the suite, instead of config/evaluation-suite.yaml')
      .option('--markdown <file>', 'put the table into this file, between <!-- eval all --> and <!-- /eval all -->'),
  ).action(async (options: SuiteCommand) => {
    const { runSuite } = await import('./eval/run-suite.ts');
    await unlessInterrupted(context, runSuite(options, context));
  });
};

function withCommonOptions(command: Command): Command {
  return withChainOptions(command.option('--report <file>', 'write an HTML page with plots and the worst mistakes'));
}

/** What reads the pictures. */
function withChainOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON object')
    .option('--detector <id>', 'instead of models.detector')
    .option('--second-detector <id>', 'instead of models.secondDetector; none for none')
    .option('--landmarks <id>', 'instead of models.landmarks')
    .option('--upper-encoder <id>', 'instead of models.upperEncoder, for --encoder auto; none for none')
    .addOption(
      new Option(
        '--align <points>',
        "what every encoder's faces are aligned by, instead of what its manifest says",
      ).choices(ALIGNMENT_POINTS),
    )
    .option('--workers <n>', 'processes that read pictures (default: one a core)', processes)
    .option('-c, --config <file>', 'configuration file')
    .option('--models-dir <dir>', 'folder of the models, instead of models.dir')
    .option('--manifest <file>', 'manifest of your own models, instead of models.manifest');
}

/** Figures of a part of the pictures would be taken for those of all: interrupted, a command prints none. */
async function unlessInterrupted({ signal, warn, exitWith }: CommandContext, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!signal.aborted) throw error;
    warn('interrupted: no figures');
    exitWith(EXIT_INTERRUPTED);
  }
}

function encoderOption(): Option {
  return new Option(
    '--encoder <id>',
    'full, upper or block50 (the configured encoder on the whole face, its upper part, blocks 1 to 50), auto (what the ' +
      'daemon would use), an encoder of the manifest, or an .onnx file',
  ).default('auto');
}

function maskOption(who: string): Option {
  return new Option('--mask <who>', `who wears a simulated mask: ${who}`)
    .choices(['none', 'probe', 'both'])
    .default('none');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value >= 2 ** 32) throw new InvalidArgumentError('It must be a whole number below 2^32.');
  return value;
}

function positive(text: string): number {
  const value = wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

function rateBelowOne(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0 && value < 1))
    throw new InvalidArgumentError('It must be above 0 and below 1.');
  return value;
}

function processes(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64) throw new InvalidArgumentError('It must be 1 to 64.');
  return value;
}

function share(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 2)) throw new InvalidArgumentError('It must be 0 to 2.');
  return value;
}
