import type { AlignmentPoints } from '../../faces/align.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import type { FeatureMatrix } from '../../training/classifiers/feature-matrix.ts';
import { type HideLowerFace, squareCrop } from '../face-encoder.ts';
import { type CropsTaken, cropBy, type FaceToEncode } from '../face-source.ts';

/** Deep descriptors of the part of a face that is kept: one for each place of a network's feature map. */
export interface FeatureMaps extends CropsTaken {
  /** A row a place, a column a channel; one matrix a face, in order. */
  describe(faces: readonly Pick<FaceToEncode, 'crops'>[]): Promise<FeatureMatrix[]>;
}

export interface FeatureMapsOptions {
  /** Its only output is the feature map: channels x rows x columns. */
  readonly model: VisionModel;
  readonly alignedBy: AlignmentPoints;
  readonly hide: HideLowerFace | null;
}

const BATCH = 64;
const WHITE = 255;

/**
 * Descriptors of the places that lie in the part `hide` keeps, each scaled to unit length: an encoder compares by angles,
 * and the length of a descriptor tells contrast.
 */
export function featureMaps({ model, alignedBy, hide }: FeatureMapsOptions): FeatureMaps {
  const side = model.input.width;
  const keptRows = hide ? countKeptRows(hide, side) : side;
  return {
    cropPx: side,
    alignedBy: [alignedBy],
    async describe(faces) {
      const crops = faces.map((face) => cropBy(face, alignedBy));
      const described: FeatureMatrix[] = [];
      for (let from = 0; from < crops.length; from += BATCH) {
        const batch = crops.slice(from, from + BATCH);
        const [map] = Object.values(
          await model.run(hide ? batch.map((crop) => hide(squareCrop(crop, side)).pixels) : batch),
        );
        const [, channels, rows, columns] = map?.shape ?? [];
        if (!map || !channels || !rows || !columns) throw new Error(`model ${model.id} gave no feature map`);
        // A row of places is kept when at least half of what it stands over is.
        const kept = Math.floor((keptRows * rows) / side + 0.5);
        const size = channels * rows * columns;
        for (let row = 0; row < batch.length; row++) {
          described.push(
            placesOf(map.data.subarray(row * size, (row + 1) * size), channels, rows * columns, kept * columns),
          );
        }
      }
      return described;
    },
  };
}

/** Rows that are not blank in a white crop. */
function countKeptRows(hide: HideLowerFace, side: number): number {
  const white = hide(squareCrop(new Uint8Array(side * side * 3).fill(WHITE), side));
  return white.pixels.filter((value, at) => at % (side * 3) === 0 && value === WHITE).length;
}

function placesOf(map: Float32Array, channels: number, places: number, kept: number): FeatureMatrix {
  const data = new Float32Array(kept * channels);
  for (let place = 0; place < kept; place++) {
    let squares = 0;
    for (let channel = 0; channel < channels; channel++) squares += (map[channel * places + place] as number) ** 2;
    const length = Math.sqrt(squares) || 1;
    for (let channel = 0; channel < channels; channel++) {
      data[place * channels + channel] = (map[channel * places + place] as number) / length;
    }
  }
  return { rows: kept, columns: channels, data };
}
