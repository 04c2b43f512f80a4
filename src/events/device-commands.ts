import { EyelineError, messageOf } from '../core/errors.ts';
import { CommandError, type CommandRequest, type SettingChanges } from './command.ts';

/** What commands may do with a camera. */
export interface CommandedCamera {
  setEnabled(enabled: boolean): void;
  /** Takes and sends a picture; gives the topic it is on. Rejects when no frame comes. */
  snapshot(): Promise<{ topic: string; width: number; height: number; capturedAtMs: number }>;
}

export interface CommandedDevice {
  readonly cameras: ReadonlyMap<string, CommandedCamera>;
  /** Whether pictures may be asked for. */
  readonly snapshots: boolean;
  /** Takes the site's latest gallery over; gives its version. Null where there is nowhere to take it from. */
  readonly syncGallery: (() => Promise<{ version: number }>) | null;
  /** Takes note that a track is not a person; gives their id. Throws where the track is not kept. Null where none are. */
  readonly deny: ((track: string, person?: string) => string) | null;
  /** What decisions go by; changed in place. */
  readonly settings: Required<{ -readonly [Key in keyof SettingChanges]: NonNullable<SettingChanges[Key]> }>;
}

/** Carries a command out on a device; gives the result. Throws CommandError. */
export async function carryOut(
  request: CommandRequest,
  device: CommandedDevice,
): Promise<Readonly<Record<string, unknown>>> {
  switch (request.command) {
    case 'camera':
      cameraOf(device, request.camera).setEnabled(request.enabled);
      return { camera: request.camera, enabled: request.enabled };
    case 'snapshot': {
      if (!device.snapshots) throw new CommandError('NOT_AVAILABLE', 'snapshots are switched off: privacy.snapshots');
      const { capturedAtMs, ...picture } = await cameraOf(device, request.camera)
        .snapshot()
        .catch((error: unknown) => {
          throw new CommandError('NOT_AVAILABLE', `no picture of camera ${request.camera}: ${messageOf(error)}`);
        });
      return { camera: request.camera, ...picture, capturedAt: new Date(capturedAtMs).toISOString() };
    }
    case 'gallery-sync':
      if (device.syncGallery === null) {
        throw new CommandError('NOT_AVAILABLE', 'this device has no source to synchronise its gallery from');
      }
      return { ...(await device.syncGallery()) };
    case 'deny':
      if (device.deny === null) {
        throw new CommandError('NOT_AVAILABLE', 'what tracks looked like is not kept: visitors.enabled');
      }
      try {
        return { track: request.track, person: device.deny(request.track, request.person) };
      } catch (error) {
        if (!(error instanceof EyelineError && (error.code === 'VISITOR_UNKNOWN' || error.code === 'USAGE')))
          throw error;
        throw new CommandError('NOT_AVAILABLE', error.message);
      }
    case 'settings':
      for (const [key, value] of Object.entries(request.set)) {
        if (value !== undefined) Object.assign(device.settings, { [key]: value });
      }
      return { ...device.settings };
  }
}

function cameraOf({ cameras }: CommandedDevice, id: string): CommandedCamera {
  const camera = cameras.get(id);
  if (!camera) throw new CommandError('UNKNOWN_CAMERA', 'the device has no camera of that id');
  return camera;
}
