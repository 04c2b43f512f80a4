import { EyelineError } from '../../core/errors.ts';
import { embedPictures } from '../../evaluation/cached-encoder.ts';
import type { FaceEncoder } from '../../evaluation/face-encoder.ts';
import { cropsTaken } from '../../evaluation/face-source.ts';
import { type PersonPictures, readPeopleFolder } from '../../evaluation/people-folder.ts';
import {
  type PictureEmbedding,
  type StrangersFigures,
  type StrangersPerson,
  strangersFigures,
} from '../../evaluation/strangers.ts';
import { curveFor, type ScoreCalibration } from '../../faces/score-calibration.ts';
import { adaptToGallery } from '../../pipeline/adapt-to-gallery.ts';
import type { CommandContext } from '../command.ts';
import { percent } from './figures-text.ts';
import { type ChainOptions, type OpenEvaluation, openEvaluation } from './open-evaluation.ts';
import { TIGHT_CROP_PAD } from './tight-crops.ts';

export interface StrangersCommand extends ChainOptions {
  readonly dir: string;
  readonly strangers?: string;
  readonly encoder?: string;
  readonly probe?: 'masked' | 'plain';
  readonly mask: 'none' | 'probe';
  readonly maskSeed: number;
  readonly most: number;
  readonly gallerySize?: number;
  readonly splits: number;
  readonly seed: number;
  readonly json?: boolean;
}

/** `eyeline eval strangers`. */
export async function runStrangers(options: StrangersCommand, context: CommandContext): Promise<void> {
  const { dir, splits, seed, json } = options;
  const folder = await readPeopleFolder(dir);
  const others = options.strangers === undefined ? null : await readPeopleFolder(options.strangers);
  const probe = options.probe ?? ((others ?? folder).realMasks ? 'masked' : 'plain');
  if (probe === 'masked' && options.mask === 'probe') {
    throw new EyelineError('USAGE', '--mask probe is for --probe plain: masked probes wear a mask already');
  }
  const worn = probe === 'masked' || options.mask === 'probe';
  const evaluation = await openEvaluation(options, context);
  try {
    const { models } = evaluation;
    const id = models.idFor(worn ? 'worn' : 'none', options);
    const calibration = await models.calibration(id);
    const encoder = await models.encoder(id);
    const read = async (people: readonly PersonPictures[], realMasks: boolean) =>
      embedPeople(people, encoder, evaluation, { ...options, probe, pad: realMasks ? TIGHT_CROP_PAD : 0 });
    const people = await read(folder.people, folder.realMasks);
    const strangers = others ? await read(others.people, others.realMasks) : undefined;
    const gallerySize = options.gallerySize ?? Math.floor(people.length / (strangers ? 1 : 2));
    if (people.length < 2) throw new EyelineError('NOTHING_TO_EVALUATE', `${dir}: two people with a face are needed`);
    const curveOf = (it: ScoreCalibration) => {
      const curve = curveFor(it, worn ? 'worn' : 'none');
      if (curve) return curve;
      throw new EyelineError('MODEL_UNCALIBRATED', `model ${id} has no calibration: its scores claim nothing`);
    };
    const figures = strangersFigures(people, {
      calibration,
      curveOf,
      adapt: adaptToGallery,
      gallerySize,
      splits,
      seed,
      ...(strangers && { strangers }),
      signal: context.signal,
    });
    if (json) context.print(JSON.stringify({ dir, encoder: id, probe, mask: options.mask, seed, ...figures }));
    else for (const line of strangersText(id, worn, figures)) context.print(line);
  } finally {
    await evaluation.close();
  }
}

async function embedPeople(
  people: readonly PersonPictures[],
  encoder: FaceEncoder<Float32Array>,
  { shelf, progress }: OpenEvaluation,
  {
    probe,
    mask,
    maskSeed,
    most,
    pad,
  }: Pick<StrangersCommand, 'mask' | 'maskSeed' | 'most'> & { probe: 'masked' | 'plain'; pad: number },
): Promise<StrangersPerson[]> {
  const embed = async (kind: 'plain' | 'masked', drawn: boolean, as: 'probes' | 'enrolled') => {
    const pictures = people.flatMap(({ person, ...own }) => own[kind].slice(0, most).map((file) => ({ person, file })));
    const read = await shelf.read(
      pictures.map(({ file }) => file),
      { choose: pad > 0 ? 'largest' : 'central', pad, ...cropsTaken(encoder), mask: drawn ? { seed: maskSeed } : null },
      progress.onProgress,
    );
    const embeddings = await embedPictures(read, encoder, as);
    const byPerson = new Map<string, PictureEmbedding[]>();
    read.forEach(({ file: picture }, index) => {
      const [embedding, person = ''] = [embeddings[index], pictures[index]?.person];
      if (embedding) byPerson.set(person, [...(byPerson.get(person) ?? []), { picture, embedding }]);
    });
    return byPerson;
  };
  const templates = await embed('plain', false, 'enrolled');
  const probes = await embed(probe, mask === 'probe', 'probes');
  return people.flatMap(({ person }) => {
    const own = { templates: templates.get(person) ?? [], probes: probes.get(person) ?? [] };
    return own.templates.length + own.probes.length > 0 ? [{ person, ...own }] : [];
  });
}

function strangersText(id: string, worn: boolean, figures: StrangersFigures): string[] {
  const { people, gallerySize, splits, comparisons, genuine, alikeness, asMeasured, adapted } = figures;
  const rate = (value: number) => (value === 0 ? 'none' : value.toExponential(1));
  return [
    `${id}, ${worn ? 'masked' : 'plain'} probes: ${people} people, ${gallerySize} enrolled, ${splits} splits, ` +
      `${comparisons} comparisons with strangers, ${genuine} of people with themselves`,
    `people enrolled are more alike by ${alikeness.shift.toFixed(2)} deviations, ${alikeness.spread.toFixed(2)} times as spread (mean)`,
    ...asMeasured.flatMap((before, index) => {
      const after = adapted[index];
      if (!after) return [];
      return [
        `${before.claimed.toExponential(0)} claimed: as measured ${rate(before.strangers)} (worst ${rate(before.worst)}), ` +
          `${percent(before.missed)} missed; adapted ${rate(after.strangers)} (worst ${rate(after.worst)}), ${percent(after.missed)} missed`,
      ];
    }),
  ];
}
