import { fstatSync, readSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { PixelReader, PixelWriter } from '../../src/capture/pixel-file.ts';
import type { FromCamera } from '../../src/capture/protocol.ts';

const frame = (sequence: number, value: number, length = 12): Extract<FromCamera, { type: 'frame' }> => ({
  type: 'frame',
  sequence,
  width: 8,
  height: 6,
  capturedAtMs: 1,
  captureMs: 2,
  fitted: new Uint8Array(length).fill(value),
  read: 3,
  dropped: 0,
  idle: 0,
});

describe('the pixel file', () => {
  const both = () => {
    const reader = new PixelReader();
    onTestFinished(() => reader.close());
    return { reader, writer: new PixelWriter(reader.descriptor) };
  };

  it('carries a frame over as it was, its pixels outside of the message', () => {
    const { reader, writer } = both();
    const message = writer.pack(frame(1, 7));
    expect(message).toEqual({ ...frame(1, 7), fitted: undefined, at: 0, length: 12 });
    expect(reader.unpack(message)).toEqual(frame(1, 7));
  });

  it('lets other messages pass', () => {
    const { reader, writer } = both();
    const message = { type: 'ended', left: true } as const;
    expect(reader.unpack(writer.pack(message))).toBe(message);
  });

  it('keeps four frames that were not read yet apart', () => {
    const { reader, writer } = both();
    const messages = [1, 2, 3, 4].map((value) => writer.pack(frame(value, value)));
    expect(messages.map((message) => reader.unpack(message))).toEqual([1, 2, 3, 4].map((value) => frame(value, value)));
    expect(fstatSync(reader.descriptor).size).toBe(4 * 12);
    writer.pack(frame(5, 5));
    expect(fstatSync(reader.descriptor).size).toBe(4 * 12);
  });

  it('uses the memory of a frame that was given back, and no other', () => {
    const { reader, writer } = both();
    const unpack = (value: number, length?: number) => {
      const message = reader.unpack(writer.pack(frame(value, value, length)));
      if (message.type !== 'frame') throw new Error('no frame');
      return message.fitted;
    };
    const [first, second] = [unpack(1), unpack(2)];
    reader.recycle(first);
    const third = unpack(3);
    expect(third.buffer).toBe(first.buffer);
    expect([...second]).toEqual(Array(12).fill(2));
    reader.recycle(second);
    expect(unpack(4, 20)).toEqual(new Uint8Array(20).fill(4));
  });

  it('carries whole frames beside the fitted pixels, each where it was asked to be put', () => {
    const { reader, writer } = both();
    const ask = (id: number) => writer.unpack(reader.pack({ type: 'pixels', id, sequence: 9 }));
    const whole = (id: number) => ({ type: 'pixels', id, pixels: [new Uint8Array(48).fill(id)] }) as const;
    expect(ask(4)).toEqual({ type: 'pixels', id: 4, sequence: 9 });
    ask(5);
    const messages = [writer.pack(whole(5)), writer.pack(frame(1, 7)), writer.pack(whole(4))];
    expect(messages.map((message) => Object.values(message).some((value) => value instanceof Uint8Array))).toEqual([
      false,
      false,
      false,
    ]);
    expect(messages.map((message) => reader.unpack(message))).toEqual([whole(5), frame(1, 7), whole(4)]);
    // The places are free again: the file takes no more memory, which holes in it do not.
    const { blocks } = fstatSync(reader.descriptor);
    for (let id = 6; id < 20; id++) {
      ask(id);
      expect(reader.unpack(writer.pack(whole(id)))).toEqual(whole(id));
    }
    expect(fstatSync(reader.descriptor).blocks).toBe(blocks);
  });

  it('frees the place of a whole frame that is refused, and lets crops pass', () => {
    const { reader, writer } = both();
    const place = (id: number) => {
      const message = reader.pack({ type: 'pixels', id, sequence: 9 });
      return 'place' in message ? message.place : null;
    };
    expect([place(1), place(2)]).toEqual([1, 2]);
    const refused = { type: 'refused', id: 1, message: 'no longer held' } as const;
    expect(reader.unpack(writer.pack(refused))).toBe(refused);
    expect(place(3)).toBe(1);
    const crops = { type: 'pixels', id: 8, pixels: [new Uint8Array(3), new Uint8Array(4)] } as const;
    expect(reader.unpack(writer.pack(crops))).toBe(crops);
  });

  it('says when pixels are missing', () => {
    const { reader } = both();
    expect(() => reader.unpack({ ...frame(1, 1), at: 100, length: 12 })).toThrow(
      "a frame's pixels are missing: 0 of 12 bytes",
    );
  });

  it('has no name, and is gone when it is closed', () => {
    const reader = new PixelReader();
    expect(fstatSync(reader.descriptor).nlink).toBe(0);
    reader.close();
    expect(() => readSync(reader.descriptor, new Uint8Array(1))).toThrow('EBADF');
  });
});
