import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EyelineError, messageOf, systemCodeOf } from '../core/errors.ts';
import { curveOfRates, type ScoreCalibration } from '../faces/score-calibration.ts';
import { writeFileAtomic } from './files.ts';
import type { ModelEntry } from './manifest.ts';
import { scoreCurves } from './manifest-schema.ts';

/** What was measured on this machine, by the fingerprint of the encoder: another model of the same name is not meant. */
const calibrationFile = z.strictObject({
  encoders: z.record(z.string(), z.strictObject({ id: z.string(), curves: scoreCurves })),
});

/** Calibrations by the fingerprint of their encoder. */
export type Calibrations = ReadonlyMap<string, { readonly id: string; readonly curves: ScoreCalibration }>;

/** Reads what {@link writeCalibrations} wrote; empty without a file. Throws MANIFEST_INVALID naming the file. */
export async function readCalibrations(file: string): Promise<Calibrations> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return new Map();
    throw new EyelineError('MANIFEST_INVALID', `${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
  try {
    return new Map(Object.entries(calibrationFile.parse(JSON.parse(text)).encoders));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new EyelineError('MANIFEST_INVALID', `${file}: ${what}: run \`eyeline calibrate\` again`, { cause: error });
  }
}

/** Replaces the file as a whole, which a power cut does not undo: the daemon does not start with half of one. Throws OUTPUT_UNWRITABLE. */
export async function writeCalibrations(file: string, calibrations: Calibrations): Promise<void> {
  const encoders = Object.fromEntries(
    [...calibrations].map(([fingerprint, { id, curves }]) => [fingerprint, { id, curves: writtenCurves(curves) }]),
  );
  try {
    await writeFileAtomic(file, `${JSON.stringify({ encoders }, null, 1)}\n`);
  } catch (error) {
    throw new EyelineError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

/** Curves as a manifest has them under `curves`: points as rows, rounded to what was measured. */
export function writtenCurves(curves: ScoreCalibration): object {
  const digits = (value: number, many: number) => Number(value.toPrecision(many));
  const written = (['none', 'worn'] as const).flatMap((mask) => {
    const curve = curves[mask];
    if (!curve) return [];
    const points = curve.points.map(({ score, far, llr }) => [digits(score, 4), digits(far, 3), digits(llr, 4)]);
    const { impostors, genuine, reference } = curve;
    const alike = reference && { mean: digits(reference.mean, 4), deviation: digits(reference.deviation, 4) };
    const correlation = digits(curve.correlation, 3);
    return [[mask, { impostors, genuine, correlation, ...(alike && { reference: alike }), points }]];
  });
  return Object.fromEntries(written);
}

/** What the scores of an encoder mean: as measured here, else as its manifest says; empty where nobody measured it. */
export function calibrationOf(entry: ModelEntry, fingerprint: string, measured: Calibrations): ScoreCalibration {
  const curves = measured.get(fingerprint)?.curves ?? entry.curves;
  if (curves) return curves;
  const curve = curveOfRates(entry.calibration ?? []);
  return curve ? { none: curve } : {};
}
