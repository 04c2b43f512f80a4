/** What `eyeline train` is given beside the recipe. */
export interface TrainOptions {
  readonly data: readonly string[];
  readonly worn?: readonly string[];
  readonly out?: string;
  readonly resume?: boolean;
  readonly cores?: number;
  readonly nice?: number;
  readonly install?: boolean;
  readonly maxMinutes?: number;
  readonly fold?: number;
  readonly landmarks?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** The command these options were given by, for a shell; `--resume` is left out. */
export function commandOf(recipe: string, options: TrainOptions): string {
  const { data, worn, out, cores, nice, install, maxMinutes, fold, landmarks, config, json } = options;
  const valued = { out, cores, nice, 'max-minutes': maxMinutes, fold, landmarks, config };
  return [
    'eyeline train',
    quoted(recipe),
    ...['--data', ...data.map(quoted)],
    ...(worn ? ['--worn', ...worn.map(quoted)] : []),
    ...Object.entries(valued).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name} ${quoted(String(value))}`],
    ),
    ...(install ? ['--install'] : []),
    ...(json ? ['--json'] : []),
  ].join(' ');
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
