const LONGEST_NAME = 200;
const LONGEST_SLUG = 48;

/** Letters that Unicode does not decompose, as they are commonly transcribed. */
const TRANSCRIPTIONS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ħ: 'h',
  ı: 'i',
};

/**
 * The one spelling under which a name is stored and compared: NFC (folders from macOS come decomposed), outer blanks
 * cut, runs of blanks made one. Null when nothing is left, it is longer than 200 characters or holds control characters.
 */
export function normaliseName(text: string): string | null {
  const name = text.normalize('NFC').replace(/\s+/gu, ' ').trim();
  return name === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name) ? null : name;
}

/**
 * Slug of a name: ASCII letters and digits in words joined by `-`, at most 48 characters; safe in MQTT topics, URLs and
 * file names. Null when the name has nothing that can be written so (another script).
 */
export function slugOf(name: string): string | null {
  const ascii = name
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\p{ASCII}]/gu, (letter) => TRANSCRIPTIONS[letter] ?? ' ');
  const slug = ascii
    .replace(/['.]/g, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, LONGEST_SLUG)
    .replace(/-$/, '');
  return slug === '' ? null : slug;
}
