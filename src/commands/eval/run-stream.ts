import { silentLogger } from '../../core/logger.ts';
import { readPeopleFolder } from '../../evaluation/people-folder.ts';
import type { CountedRate } from '../../evaluation/streams/rate-interval.ts';
import { type StreamFigures, streamFigures } from '../../evaluation/streams/stream-figures.ts';
import { recordStreams, somePeople } from '../../evaluation/streams/stream-set.ts';
import { decisionParts } from '../../pipeline/decision-parts.ts';
import { openFaceAnalyser } from '../../wiring/open-faces.ts';
import type { CommandContext } from '../command.ts';
import { percent } from './figures-text.ts';
import { type ChainOptions, openPictures } from './open-evaluation.ts';

export interface StreamCommand extends ChainOptions {
  readonly dir: string;
  readonly mask: 'none' | 'worn' | 'both';
  readonly people: number;
  readonly enrol: number;
  readonly gallerySize: number;
  readonly deals: number;
  readonly frames: number;
  readonly fps: number;
  readonly seed: number;
  readonly far?: number;
  readonly json?: boolean;
}

/** Size of the frames somebody walks by in: what the detector sees. */
const FRAME = { width: 320, height: 240 };

/** `eyeline eval stream`. */
export async function runStream(options: StreamCommand, context: CommandContext): Promise<void> {
  const { dir, mask, enrol, gallerySize, deals, frames, fps, seed } = options;
  const { people: all } = await readPeopleFolder(dir);
  const people = somePeople(all, options.people, seed);
  const { config: loaded, pool, progress, close } = await openPictures(options, context);
  const config = {
    ...loaded,
    recognition: { ...loaded.recognition, falseAcceptRate: options.far ?? loaded.recognition.falseAcceptRate },
  };
  try {
    const chain = await openFaceAnalyser(config, silentLogger, { runIn: 'this-thread' });
    const { encoders } = chain;
    await chain.close();
    const { minQuality, minFrames } = config.recognition;
    const parts = decisionParts(config, chain);
    const walk = { frames, fps, frame: FRAME };
    const results: { masked: boolean; leftOut: number; figures: StreamFigures }[] = [];
    for (const masked of mask === 'both' ? [false, true] : [mask === 'worn']) {
      const recorded = await recordStreams(
        { people, enrol, seed, masked, walk },
        (tasks) => pool.run(tasks, context.signal),
        progress.onProgress,
      );
      const setup = { parts, encoders, minQuality, minFrames, walk, gallerySize, deals, seed, signal: context.signal };
      const figures = await streamFigures(recorded.people, setup);
      results.push({ masked, leftOut: recorded.leftOut, figures });
    }
    if (options.json) {
      context.print(JSON.stringify({ dir, enrol, gallerySize, deals, frames, fps, seed, results }));
      return;
    }
    for (const { masked, leftOut, figures } of results) {
      for (const line of streamText(masked, leftOut, figures)) context.print(line);
    }
  } finally {
    await close();
  }
}

function streamText(masked: boolean, leftOut: number, figures: StreamFigures): string[] {
  const { decidedMs, strangerDecidedMs, configuredRate } = figures;
  const seconds = (ms: number | null) => (ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`);
  return [
    `${masked ? 'masked' : 'plain '}     ${figures.people} people walk by ${figures.galleries} galleries, ${leftOut} left out`,
    `accepts    ${rateText(figures.falseAccepts)} of strangers named, ${percent(configuredRate)} configured`,
    `not named  ${rateText(figures.notNamed)} of people enrolled: ${percent(figures.toldUnknown)} told unknown, ` +
      `${percent(figures.undecided)} undecided, ${percent(figures.misnamed)} named as another`,
    `decided    median ${seconds(decidedMs.median)}, of nine tenths within ${seconds(decidedMs.p90)}; strangers ${seconds(strangerDecidedMs.median)}`,
    ...figures.calibration.map(
      ({ claimed, observed }) => `claimed    ${percent(claimed)}: observed ${rateText(observed)}`,
    ),
    ...figures.voting.map(
      ({ fpir, track, single }) =>
        `missed     ${percent(track)} by the track, ${percent(single)} by one look, where ${percent(fpir)} of strangers are named`,
    ),
  ];
}

function rateText({ rate, low, high, events, trials }: CountedRate): string {
  return `${percent(rate)} (${percent(low)} to ${percent(high)}; ${events} of ${trials})`;
}
