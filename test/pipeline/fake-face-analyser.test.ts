import { describeFaceAnalyser } from '../faces/face-analyser-contract.ts';
import { FakeFaceAnalyser, StagedFrame } from '../fakes/fake-face-analyser.ts';

describeFaceAnalyser('FakeFaceAnalyser', async () => ({
  analyser: new FakeFaceAnalyser(),
  crowd: new StagedFrame(1, 0, [
    { box: { x: 10, y: 10, width: 100, height: 100 }, angle: 0 },
    { box: { x: 300, y: 10, width: 100, height: 100 }, angle: 2 },
  ]),
  empty: new StagedFrame(2, 0, []),
}));
