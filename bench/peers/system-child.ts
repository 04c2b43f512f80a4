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

function reply(message: FromSystem): void {
  process.send?.(message);
}

async function answer(message: ToSystem): Promise<FromSystem> {
  if (message.type === 'open') {
    system = await openSystem(message.system, message.threads);
    const { name, runsOn, settings } = system;
    return { type: 'opened', name, runsOn, settings };
  }
  if (!system) throw new Error('no system is open');
  switch (message.type) {
    case 'read': {
      const faces: (readonly FoundFace[])[] = [];
      for (const picture of message.pictures) faces.push(await system.read(picture));
      return { type: 'read', faces };
    }
    case 'keep':
      kept = message.pictures;
      return { type: 'kept' };
    case 'run': {
      const before = process.cpuUsage();
      let faces = 0;
      for (const picture of kept) faces += (await system.read(picture)).length;
      const { user, system: kernel } = process.cpuUsage(before);
      return { type: 'ran', faces, cpuMs: (user + kernel) / 1000, memoryMb: process.memoryUsage.rss() / 2 ** 20 };
    }
  }
}
