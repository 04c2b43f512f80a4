import type { Judgement } from './run-folder.ts';

/** A figure that decides whether a trained model may take the place of the one in use. */
interface Rule {
  readonly figure: string;
  readonly what: string;
  readonly better: 'higher' | 'lower';
  /** It must be better; else it must not be worse by more than `slack`. */
  readonly mustGain: boolean;
  readonly slack: number;
}

export type GatedKind = 'detector' | 'landmarks' | 'encoder' | 'siamese' | 'mask-state';

/** Half a percent of the pictures held out are three or four faces: less is chance. */
const SLACK = 0.005;

/** What embeds masked faces. Whether strangers are told apart is no matter of chance of a few faces: all are compared. */
const ENCODER: readonly Rule[] = [
  { figure: 'maskedTar3', what: 'masked faces accepted', better: 'higher', mustGain: true, slack: 0 },
  { figure: 'plainTar3', what: 'plain faces accepted', better: 'higher', mustGain: false, slack: SLACK },
  { figure: 'maskedCeiling', what: 'what strangers score at most', better: 'lower', mustGain: false, slack: 0 },
];

const RULES: Readonly<Record<GatedKind, readonly Rule[]>> = {
  detector: [
    { figure: 'maskedRecall', what: 'masked faces found', better: 'higher', mustGain: true, slack: 0 },
    { figure: 'plainRecall', what: 'plain faces found', better: 'higher', mustGain: false, slack: SLACK },
  ],
  landmarks: [
    { figure: 'maskedError', what: 'error of the eyes under a mask', better: 'lower', mustGain: true, slack: 0 },
    { figure: 'plainError', what: 'error of the eyes without one', better: 'lower', mustGain: false, slack: SLACK },
  ],
  encoder: ENCODER,
  siamese: ENCODER,
  'mask-state': [
    { figure: 'accuracy', what: 'faces told rightly', better: 'higher', mustGain: true, slack: 0 },
    { figure: 'bareRight', what: 'bare faces told rightly', better: 'higher', mustGain: false, slack: SLACK },
    {
      figure: 'variedAccuracy',
      what: 'faces told rightly when varied',
      better: 'higher',
      mustGain: false,
      slack: SLACK,
    },
    { figure: 'stateAccuracy', what: 'states told rightly', better: 'higher', mustGain: false, slack: SLACK },
  ],
};

/**
 * Whether a trained model may be installed: better on masked faces, not worse on plain ones, strangers no more alike, on the
 * same people, on whom neither was trained.
 *
 * Gives why not, a line a figure; nothing when it may.
 */
export function reasonsAgainst(kind: GatedKind, inUse: Judgement, trained: Judgement): string[] {
  return RULES[kind].flatMap(({ figure, what, better, mustGain, slack }) => {
    const before = inUse.figures[figure];
    const after = trained.figures[figure];
    if (before === undefined || after === undefined) return [`${what}: not measured`];
    const gain = better === 'higher' ? after - before : before - after;
    if (mustGain ? gain > 0 : gain >= -slack) return [];
    return [`${what}: ${after.toFixed(4)}, ${mustGain ? 'not better than' : 'worse than'} ${before.toFixed(4)} in use`];
  });
}
