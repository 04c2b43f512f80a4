import { describe, expect, it } from 'vitest';
import { device, fleet } from '../fleet-device.ts';
import { person } from '../fleet-rig.ts';
import { syncOf } from '../sync-rig.ts';

describe('the sync of a gallery', () => {
  it('takes over what is there at the start, and what is announced', async () => {
    const { put, release, server, keys } = await fleet();
    await put([person('anna')]);
    await release();
    const door = device(keys, server.url);
    const { sync, until, reports } = syncOf(door);
    sync.start();
    await until(({ version }) => version === 1);
    expect(reports[0]).toMatchObject({ state: 'never', version: null });
    await put([person('ben', 1)]);
    const { announcement } = await release();
    sync.announce(announcement);
    expect(await until(({ version }) => version === 2)).toMatchObject({ state: 'current', code: null });
    expect(door.ids()).toEqual(['anna', 'ben']);
  });

  it('asks again and again when the store is away, says so once, and recovers', async () => {
    const { put, release, server, keys } = await fleet();
    await put([person('anna')]);
    const door = device(keys, server.url);
    const { sync, until, logger } = syncOf(door);
    sync.start();
    expect(await until(({ state }) => state === 'unreachable')).toMatchObject({ code: 'SYNC_UNREACHABLE' });
    await release();
    await until(({ state }) => state === 'current');
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(server.requests.filter(({ status }) => status === 404).length).toBeGreaterThan(0);
  });

  it('refuses a forged announcement, and still follows the store', async () => {
    const { put, release, server, keys } = await fleet();
    await put([person('anna')]);
    const first = await release();
    const door = device(keys, server.url);
    const { sync, until, logger } = syncOf(door);
    sync.start();
    await until(({ version }) => version === 1);
    const envelope = JSON.parse(first.announcement);
    sync.announce(JSON.stringify({ ...envelope, signature: Buffer.alloc(64).toString('base64') }));
    expect(await until(({ state }) => state === 'refused')).toMatchObject({ code: 'BUNDLE_UNTRUSTED', version: 1 });
    expect(logger.lines.at(-1)?.message).toContain('version 1 stays');
    // The next look at the store settles it.
    await until(({ state }) => state === 'current');
    expect(door.ids()).toEqual(['anna']);
  });

  it('follows the newer of two announcements that come together', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    await put([person('anna')]);
    const first = await release();
    await put([person('ben', 1)]);
    const second = await release();
    const { sync, until } = syncOf(door);
    sync.start();
    sync.announce(second.announcement);
    sync.announce(first.announcement);
    await until(({ version }) => version === 2);
    expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 2 });
    expect(door.ids()).toEqual(['anna', 'ben']);
  });

  it('answers whoever asks for a sync, and ends those who wait when it stops', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    const { sync, until } = syncOf(door);
    sync.start();
    await until(({ state }) => state === 'unreachable');
    await put([person('anna')]);
    await release();
    expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 1 });
    server.fault = () => true;
    const hanging = sync.syncNow();
    hanging.catch(() => {});
    await sync.stop();
    await expect(hanging).rejects.toThrow('has stopped');
    await expect(sync.syncNow()).rejects.toThrow('has stopped');
  });

  it('goes on when whoever is told of it fails', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    const failing = () => {
      throw new Error('the listener broke');
    };
    const { sync, logger } = syncOf({ ...door, onReport: failing });
    sync.start();
    await put([person('anna')]);
    await release();
    expect(await sync.syncNow()).toMatchObject({ state: 'current', version: 1 });
    expect(logger.lines.some(({ message }) => message.includes('the listener broke'))).toBe(true);
  });

  it('asks with the ETag as long as the gallery is still where it was, and without it after a rollback', async () => {
    const { put, release, server, keys } = await fleet();
    const door = device(keys, server.url);
    await put([person('anna')]);
    await release();
    await put([person('ben', 1)]);
    const { sync, until } = syncOf(door);
    sync.start();
    await until(({ version }) => version === 1);
    await release();
    await sync.syncNow();
    const asked = async () => {
      const before = server.requests.length;
      const report = await sync.syncNow();
      const statuses = server.requests.slice(before).map(({ status }) => status);
      return { ...report, statuses };
    };
    expect(await asked()).toMatchObject({ state: 'current', version: 2, statuses: [304] });
    await door.back();
    expect(await asked()).toMatchObject({ state: 'held', version: 1, statuses: [200] });
    expect(await asked()).toMatchObject({ state: 'held', version: 1, statuses: [304] });
  });
});
