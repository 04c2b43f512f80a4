import { PICTURE_STEPS } from '../../pictures/picture-protocol.ts';
import type { EventsBench } from './events.ts';
import type { GalleryBenchResult } from './gallery.ts';
import type { GalleryChangesResult } from './gallery-changes.ts';
import type { PicturesResult } from './pictures.ts';
import type { PipelineResult } from './pipeline.ts';
import type { StageTiming } from './stages.ts';

type Print = (line: string) => void;

/** Rows of cells as Markdown, which is as readable on a terminal. */
export function table(header: readonly string[], rows: readonly (readonly (string | number | null)[])[]): string[] {
  const cells = [header, ...rows.map((row) => row.map((cell) => (cell === null ? '-' : String(cell))))];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const [head = [], ...body] = cells;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)];
}

export function printStages(stages: readonly StageTiming[], print: Print): void {
  const rows = stages.map((it) => [it.model, it.provider, it.pictures, it.rawMs, it.stageMs, it.rawOverStage]);
  for (const line of table(['model', 'provider', 'batch', 'raw ms', 'stage ms', 'raw / stage'], rows)) print(line);
}

export function printGallery(result: GalleryBenchResult, print: Print): void {
  const {
    buildMs,
    dimension,
    exactMs,
    hnswMemoryMb,
    hnswMs,
    memoryMb,
    realEmbeddings,
    recallAt1,
    recallAt8,
    templates,
  } = result;
  const of = realEmbeddings > 0 ? `made of ${realEmbeddings} real embeddings` : 'made of random numbers';
  print(`${templates} templates of ${dimension} numbers, ${of}; search for the most alike, one thread`);
  const rows = [
    ['exact', exactMs.p50, exactMs.p95, 1, 1, buildMs.exact, memoryMb],
    ['hnsw', hnswMs.p50, hnswMs.p95, recallAt1, recallAt8, buildMs.hnsw, hnswMemoryMb],
  ];
  for (const line of table(['search', 'p50 ms', 'p95 ms', 'recall@1', 'recall@8', 'build ms', 'MB'], rows)) print(line);
}

export function printGalleryChanges(result: GalleryChangesResult, print: Print): void {
  const { delta, deletedMs, people, readAnewMs, startMs, templates } = result;
  print(`${people} people with ${templates} templates, encrypted; milliseconds`);
  const header = ['start', 'one deleted', 'all read anew', 'delta of 10 applied', 'taken up'];
  for (const line of table(header, [[startMs, deletedMs, readAnewMs, delta.applyMs, delta.takenUpMs]])) print(line);
}

export function printPictures(result: PicturesResult, print: Print): void {
  const { faces, picturesPerSecond, msPerPicture, pictures, unreadable, withFace, workers } = result;
  print(
    `${pictures} pictures on ${workers} processes: ${withFace} with a face, ${faces} faces, ${unreadable} could not be read`,
  );
  const rows = PICTURE_STEPS.map((step) => [step, picturesPerSecond[step], msPerPicture[step]]);
  for (const line of table(['up to and with', 'pictures/s', 'ms a picture'], rows)) print(line);
}

/** @param soak whether streams are cut: then what memory does over time is asked about, too */
export function printPipeline(
  { efficiency, fullSpeed, cameras, idle }: PipelineResult,
  { soak }: { readonly soak: boolean },
  print: Print,
): void {
  const atFullSpeed = Object.values(fullSpeed);
  if (atFullSpeed.length > 0) {
    print('');
    print(`Full speed on decoded frames; efficiency ${efficiency} (raw time of the models over wall time):`);
    const rows = atFullSpeed.map((it) => [
      it.cameras,
      it.framesPerSecond,
      it.facesPerFrame,
      it.embeddedPerSecond,
      it.efficiency,
      it.busy,
      it.latencyMs.p50,
      it.latencyMs.p95,
    ]);
    const header = ['cameras', 'frames/s', 'faces/frame', 'embedded/s', 'efficiency', 'model busy', 'p50 ms', 'p95 ms'];
    for (const line of table(header, rows)) print(line);
  }
  const live = [...Object.values(cameras), ...(idle ? [idle] : [])];
  if (live.length === 0) return;
  print('');
  print('The daemon on RTSP cameras of 1280x720 at 10 frames a second, all its processes:');
  const rows = live.map((it) => [
    it === idle ? 'idle scene' : it.cameras,
    it.framesPerSecond,
    it.decodedPerSecond,
    it.dropped,
    it.cpuCores,
    it.rssMb,
    it.pssMb,
    ...(soak ? [it.rssSlopeMbPerHour, it.restarts] : []),
    it.events,
    it.latencyMs.p50,
    it.latencyMs.p95,
    it.decisionMs.p50,
    it.decisionMs.p95,
  ]);
  const header = [
    'cameras',
    'decided/s',
    'decoded/s',
    'dropped',
    'cores',
    'RSS MB',
    'PSS MB',
    ...(soak ? ['RSS MB/h', 'restarts'] : []),
    'events',
    'event p50 ms',
    'p95 ms',
    'first seen to decision p50 ms',
    'p95 ms',
  ];
  for (const line of table(header, rows)) print(line);
  if (idle)
    print(`Idle scene: ${idle.timesDecodeOnly} times the CPU of decoding alone (${idle.decodeOnlyCores} cores).`);
}

/** What became of events on their way. */
export function printEvents(result: EventsBench, print: (line: string) => void): void {
  const { asked, broker, handedOver, late, latencyMs, lost, perSecond, received, twice } = result;
  print(`Events to ${broker}: ${asked} a second asked for`);
  print(`  handed over ${handedOver}, received ${received} (${perSecond} a second)`);
  print(`  lost ${lost}, twice ${twice}, late ${late}`);
  print(`  handed over to received: p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, at most ${latencyMs.max} ms`);
}
