import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where Linux tells temperatures (Documentation/driver-api/thermal/sysfs-api.rst). */
const THERMAL = '/sys/class/thermal';

/** Temperature of the hottest thermal zone, degrees Celsius; null on a machine that tells none. Never rejects. */
export async function hottestC(folder = THERMAL): Promise<number | null> {
  const zones = await readdir(folder).catch(() => []);
  const values = await Promise.all(
    zones.filter((zone) => zone.startsWith('thermal_zone')).map((zone) => readZone(join(folder, zone, 'temp'))),
  );
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? Math.max(...known) : null;
}

/** Zones that are switched off fail to read, or tell what no chip survives. */
async function readZone(file: string): Promise<number | null> {
  const milli = Number(await readFile(file, 'utf8').catch(() => Number.NaN));
  return Number.isFinite(milli) && milli > -40_000 && milli < 200_000 ? Math.round(milli / 100) / 10 : null;
}
