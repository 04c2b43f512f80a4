import { InvalidArgumentError } from 'commander';
import { MASK_COLOURS, type Rgb } from '../../faces/mask/mask-spec.ts';

/** Parsers of the command's options; each throws InvalidArgumentError with what is wrong. */

/** Values of a list, separated by commas. */
export function listOf<T extends string>(known: readonly T[]): (text: string) => T[] {
  return (text) =>
    text.split(',').map((part) => {
      const found = known.find((value) => value === part.trim());
      if (found === undefined) throw new InvalidArgumentError(`"${part}" is none of ${known.join(', ')}.`);
      return found;
    });
}

/** Colours by name or as #rrggbb, separated by commas. */
export function colours(text: string): Rgb[] {
  return text.split(',').map((part) => {
    const name = part.trim();
    const named = Object.entries(MASK_COLOURS).find(([known]) => known === name);
    if (named) return named[1];
    const [, red, green, blue] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(name) ?? [];
    if (!red || !green || !blue) {
      throw new InvalidArgumentError(
        `"${part}" is neither #rrggbb nor one of ${Object.keys(MASK_COLOURS).join(', ')}.`,
      );
    }
    return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
  });
}

/** A whole number. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** A file that can hold a sheet of pictures. */
export function sheetFile(text: string): string {
  if (!/\.(jpe?g|png)$/i.test(text)) throw new InvalidArgumentError('must end in .jpg, .jpeg or .png.');
  return text;
}
