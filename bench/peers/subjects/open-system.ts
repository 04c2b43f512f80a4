import type { FaceSystem, SystemName } from '../system.ts';
import { openEyeline } from './eyeline.ts';
import { openFaceApi } from './face-api.ts';
import { openHuman } from './human.ts';

/** Opens a system by name; `alone` when no other process shares the machine. Throws when what it is made of is not there. */
export async function openSystem(name: SystemName, alone: boolean): Promise<FaceSystem> {
  switch (name) {
    case 'eyeline':
      return await openEyeline(alone);
    case 'human':
      return await openHuman(true);
    case 'human-no-mesh':
      return await openHuman(false);
    case 'face-api':
      return await openFaceApi(false);
    case 'face-api-tiny':
      return await openFaceApi(true);
  }
}
