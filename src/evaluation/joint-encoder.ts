import { upperTemplate } from '../faces/joint-template.ts';
import type { FaceEncoder } from './face-encoder.ts';

/**
 * An upper-part encoder whose templates of bare faces are made together with the full-face encoder, as the daemon enrols them.
 *
 * @param share of the full-face embedding in a template
 */
export function jointEncoder(
  upper: FaceEncoder<Float32Array>,
  full: FaceEncoder<Float32Array>,
  share: number,
): FaceEncoder<Float32Array> {
  const { id, cropPx } = upper;
  return {
    id,
    cropPx,
    alignedBy: [...new Set([...upper.alignedBy, ...full.alignedBy])],
    embed: (faces) => upper.embed(faces),
    compare: (enrolled, probe) => upper.compare(enrolled, probe),
    async enrol(faces) {
      const own = await upper.embed(faces);
      const whole = await full.embed(faces);
      return faces.map(({ mask }, index) => {
        const upper = own[index] ?? null;
        return upper && upperTemplate({ own: upper, whole: whole[index] ?? null, mask }, share);
      });
    },
  };
}
