import { join } from 'node:path';
import type { Box } from '../../../src/core/geometry.ts';
import { type FaceSystem, MAX_FACES } from '../system.ts';
import { folderOf, loadBeside, startTfjsWasm, type Tensor, type Tfjs, toTensor } from './tfjs-wasm.ts';

interface Net {
  loadFromDisk(folder: string): Promise<void>;
}

interface Described {
  readonly detection: { readonly box: Box };
  readonly descriptor: Float32Array;
}

/** Of @vladmandic/face-api, what is used here. */
interface FaceApi {
  readonly version: string;
  readonly tf: Tfjs;
  readonly nets: Readonly<
    Record<'ssdMobilenetv1' | 'tinyFaceDetector' | 'faceLandmark68Net' | 'faceRecognitionNet', Net>
  >;
  readonly SsdMobilenetv1Options: new (options: object) => object;
  readonly TinyFaceDetectorOptions: new (options: object) => object;
  detectAllFaces(
    input: Tensor,
    options: object,
  ): { withFaceLandmarks(): { withFaceDescriptors(): Promise<readonly Described[]> } };
}

/**
 * @vladmandic/face-api: faces, 68 landmarks, descriptors.
 *
 * @param tiny with its tiny detector, the fast one, in place of its default, SSD MobileNet V1
 */
export async function openFaceApi(tiny: boolean): Promise<FaceSystem> {
  const { tf, runsOn } = await startTfjsWasm();
  const main = folderOf('@vladmandic/face-api');
  const api = loadBeside<FaceApi>('@vladmandic/face-api', 'face-api.node-wasm.js');
  const { nets } = api;
  const needed = [tiny ? nets.tinyFaceDetector : nets.ssdMobilenetv1, nets.faceLandmark68Net, nets.faceRecognitionNet];
  for (const net of needed) await net.loadFromDisk(join(main, '../model'));
  const options = tiny ? new api.TinyFaceDetectorOptions({}) : new api.SsdMobilenetv1Options({ maxResults: MAX_FACES });
  return {
    name: `@vladmandic/face-api ${api.version}`,
    runsOn,
    inHand: 1,
    settings: `${tiny ? 'tinyFaceDetector' : 'ssdMobilenetv1'}, faceLandmark68Net, faceRecognitionNet; default thresholds`,
    async read(picture) {
      const tensor = toTensor(tf, picture);
      const faces = await api.detectAllFaces(tensor, options).withFaceLandmarks().withFaceDescriptors();
      tf.dispose(tensor);
      return faces.map(({ detection: { box }, descriptor }) => {
        const { x, y, width, height } = box;
        return { box: { x, y, width, height }, embedding: descriptor };
      });
    },
  };
}
