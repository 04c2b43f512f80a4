import { boxToCrop } from '../../core/geometry.ts';
import type { VisionModel } from '../../inference/vision-model.ts';
import { squared } from '../detectors/mtcnn-detector.ts';
import type { FivePoints } from '../landmarks.ts';
import { namedOutput } from '../model-output.ts';
import { type FaceLandmarker, GREY_SIDE, greyCut } from './face-landmarker.ts';

const POINTS = 5;

/** MTCNN's O-Net on the squared box: five points, all x first, then all y, in 0..1 of the square (Zhang et al., 2016). */
export function onetLandmarker(model: VisionModel): FaceLandmarker {
  const { width, height } = model.input;
  return {
    async locate(picture, detections, trace) {
      if (detections.length === 0) return [];
      const boxes = detections.map(({ box }) => squared(box));
      const cuts = await picture.cut([
        ...boxes.map((box) => ({ matrix: boxToCrop(box, model.input), width, height, colour: 'rgb' as const })),
        ...detections.map((detection) => greyCut(detection, GREY_SIDE)),
      ]);
      const outputs = await model.run(cuts.slice(0, boxes.length), trace);
      const { data } = namedOutput(model, outputs, 'onet/conv6-3/conv6-3');
      return boxes.map((box, row) => {
        const at = (which: number) => data[row * POINTS * 2 + which] ?? 0;
        const point = (which: number) => ({
          x: box.x + at(which) * box.width,
          y: box.y + at(POINTS + which) * box.height,
        });
        const five: FivePoints = [point(0), point(1), point(2), point(3), point(4)];
        return {
          landmarks: { points: five, five, bridge: null, ibug: null },
          grey: { pixels: cuts[boxes.length + row] ?? new Uint8Array(), side: GREY_SIDE },
          extras: {},
        };
      });
    },
  };
}
