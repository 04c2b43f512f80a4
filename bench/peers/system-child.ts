/** The process one system lives in, with nothing else: see system-process.ts. */
import type { FromSystem, ToSystem } from './protocol.ts';
import { openSystem } from './subjects/open-system.ts';
import type { FaceSystem, FoundFace, RgbPicture } from './system.ts';

let system: FaceSystem | null = null;
let kept: readonly RgbPicture[] = [];

process.on('message', (message: ToSystem) => {
  answer(message).then(reply, (error: unknown) => {
    reply({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  });
});

// Threads of a system may still be there.
process.on('disconnect', () => process.exit());

function reply(message: FromSystem): void {
  process.send?.(message);
}

async function answer(message: ToSystem): Promise<FromSystem> {
  if (message.type === 'open') {
    system = await openSystem(message.system, message.alone);
    const { name, runsOn, settings } = system;
    return { type: 'opened', name, runsOn, settings };
  }
  if (!system) throw new Error('no system is open');
  switch (message.type) {
    case 'read':
      return { type: 'read', faces: await readAll(system, message.pictures) };
    case 'keep':
      kept = message.pictures;
      return { type: 'kept' };
    case 'run': {
      const before = process.cpuUsage();
      const faces = (await readAll(system, kept)).reduce((sum, found) => sum + found.length, 0);
      const { user, system: kernel } = process.cpuUsage(before);
      return { type: 'ran', faces, cpuMs: (user + kernel) / 1000, memoryMb: process.memoryUsage.rss() / 2 ** 20 };
    }
  }
}

/** The faces of each picture, in order, with as many pictures in hand as the system likes. */
async function readAll(face: FaceSystem, pictures: readonly RgbPicture[]): Promise<(readonly FoundFace[])[]> {
  const faces: (readonly FoundFace[])[] = [];
  const waiting = pictures.entries();
  const hand = async () => {
    for (const [index, picture] of waiting) faces[index] = await face.read(picture);
  };
  await Promise.all(Array.from({ length: face.inHand }, hand));
  return faces;
}
