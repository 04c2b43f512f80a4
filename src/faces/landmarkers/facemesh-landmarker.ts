import { type Affine, apply, type Box, invert, type Point } from '../../core/geometry.ts';
import type { Picture } from '../../core/picture.ts';
import type { RunTrace, VisionModel } from '../../inference/vision-model.ts';
import { bridgePoints, type FaceLandmarks, fivePoints } from '../landmarks.ts';
import { outputOfSize } from '../model-output.ts';
import { type FaceLandmarker, GREY_SIDE, greyCut } from './face-landmarker.ts';

const POINTS = 468;
const COORDINATES = 3;
/** The crop is so many times the extent of the face, as the model was trained. */
const EXTENT = 1.5;

/**
 * The points of the mesh that stand where those of the iBUG mark-up do, in its order. Jaw points of a turned head differ:
 * the mesh follows the skull, iBUG the outline seen.
 */
const IBUG_OF_MESH: readonly number[] = [
  ...[127, 234, 93, 132, 172, 136, 149, 148, 152, 377, 378, 365, 397, 361, 323, 454, 356],
  ...[71, 63, 105, 66, 107, 336, 296, 334, 293, 301],
  ...[168, 197, 5, 4, 75, 97, 2, 326, 305],
  ...[33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380],
  ...[61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181],
  ...[78, 82, 13, 312, 308, 317, 14, 87],
];

/**
 * FaceMesh (Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019): 468 points,
 * in pixels of a square crop. Two passes: the second looks at the extent of the first's points, turned so that the eyes
 * are level; where a mask misled the detector's box, that puts it right.
 */
export function faceMeshLandmarker(model: VisionModel): FaceLandmarker {
  return {
    async locate(picture, detections, trace) {
      if (detections.length === 0) return [];
      const coarse = await run(
        picture,
        detections.map(({ box }) => cropOf(centreOf(box), Math.max(box.width, box.height), 0)),
        trace,
      );
      const fine = await run(picture, coarse.map(cropAround), trace);
      const grey = await picture.cut(detections.map((detection) => greyCut(detection, GREY_SIDE)));
      return fine.map((points, row) => ({
        landmarks: meshLandmarks(points),
        grey: { pixels: grey[row] ?? new Uint8Array(), side: GREY_SIDE },
        extras: {},
      }));
    },
  };

  /** The crop of a square, pixels of the picture, about a centre and turned by an angle. */
  function cropOf(centre: Point, side: number, angle: number): Affine {
    const scale = model.input.width / (side * EXTENT);
    const [cosine, sine] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
    const middle = (model.input.width - 1) / 2;
    return [
      cosine,
      sine,
      middle - cosine * centre.x - sine * centre.y,
      -sine,
      cosine,
      middle + sine * centre.x - cosine * centre.y,
    ];
  }

  /** The crop of the extent of points along the line of the eyes. */
  function cropAround(points: readonly Point[]): Affine {
    const [left, right] = fivePoints(ibugOf(points));
    const angle = Math.atan2(right.y - left.y, right.x - left.x);
    const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
    const along = points.map(({ x, y }) => cosine * x + sine * y);
    const across = points.map(({ x, y }) => cosine * y - sine * x);
    const [minX, maxX] = [Math.min(...along), Math.max(...along)];
    const [minY, maxY] = [Math.min(...across), Math.max(...across)];
    const middle = { x: (minX + maxX) / 2, y: (minY + maxY) / 2 };
    const centre = { x: cosine * middle.x - sine * middle.y, y: sine * middle.x + cosine * middle.y };
    return cropOf(centre, Math.max(maxX - minX, maxY - minY, 1), angle);
  }

  async function run(
    picture: Picture,
    matrices: readonly Affine[],
    trace: RunTrace | undefined,
  ): Promise<readonly Point[][]> {
    const { width, height } = model.input;
    const crops = await picture.cut(matrices.map((matrix) => ({ matrix, width, height, colour: 'rgb' })));
    const { data } = outputOfSize(model, await model.run(crops, trace), POINTS * COORDINATES).tensor;
    return matrices.map((matrix, row) => {
      const back = invert(matrix);
      const start = row * POINTS * COORDINATES;
      return Array.from({ length: POINTS }, (_, point) => {
        const at = start + point * COORDINATES;
        return apply(back, { x: data[at] ?? 0, y: data[at + 1] ?? 0 });
      });
    });
  }
}

function meshLandmarks(points: readonly Point[]): FaceLandmarks {
  const ibug = ibugOf(points);
  return { points, five: fivePoints(ibug), bridge: bridgePoints(ibug), ibug };
}

function ibugOf(points: readonly Point[]): readonly Point[] {
  return IBUG_OF_MESH.map((index) => points[index] ?? { x: 0, y: 0 });
}

function centreOf({ x, y, width, height }: Box): Point {
  return { x: x + width / 2, y: y + height / 2 };
}
