import type { Hint } from '../../gallery/walk-past.ts';

const WORDS: Readonly<Record<Hint, string>> = {
  STEP_UP: 'Step before the camera.',
  ALONE: 'One person only, please: everybody else step aside.',
  SOMEBODY_ELSE: 'This is somebody else than before: only the person to be enrolled, please.',
  CLOSER: 'Come closer.',
  MASK_OFF: 'Take the mask off, and no hand before the face.',
  HOLD_STILL: 'Hold still for a moment.',
  MORE_LIGHT: 'The light is too weak or too strong: turn to the light.',
  TURN_BACK: 'Not so far: turn back a little.',
  INTO_THE_PICTURE: 'Step into the middle of the picture.',
  LOOK_STRAIGHT: 'Look straight into the camera.',
  TURN_LEFT: 'Turn your head slowly to your left.',
  TURN_RIGHT: 'Turn your head slowly to your right.',
  MOVE: 'Move your head a little, up and down, and come closer.',
  DONE: 'Done.',
};

/** A hint that lasts for less is not told: nobody could follow it. */
const STEADY_MS = 400;

/** Tells whoever stands before a camera what to do: a line whenever that changes for good, or another shot is kept. */
export class Guide {
  readonly #tell: (line: string) => void;
  #hint: Hint | null = null;
  #sinceMs = 0;
  #told = '';

  constructor(tell: (line: string) => void) {
    this.#tell = tell;
  }

  /** The last hint that was told, in words; empty before the first. */
  get lastWords(): string {
    return this.#told.slice(this.#told.indexOf('  ') + 2);
  }

  say(hint: Hint, shots: number, nowMs: number): void {
    if (hint !== this.#hint) {
      this.#hint = hint;
      this.#sinceMs = nowMs;
    }
    const line = `${shots} ${shots === 1 ? 'shot' : 'shots'}  ${WORDS[hint]}`;
    if (line === this.#told || (hint !== 'DONE' && nowMs - this.#sinceMs < STEADY_MS)) return;
    this.#told = line;
    this.#tell(line);
  }
}
