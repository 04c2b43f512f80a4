import { describe, expect, it } from 'vitest';
import { deviceTopics } from '../../src/events/topics.ts';

describe('deviceTopics', () => {
  // The contract, row by row (docs/mqtt.md).
  const topics = deviceTopics('eyeline', 'front-door');
  it.each([
    ['status', topics.status, 'eyeline/front-door/status'],
    ['event', topics.event, 'eyeline/front-door/event'],
    ['gallery', topics.gallery, 'eyeline/front-door/gallery'],
    ['camera status', topics.cameraStatus('cam_1'), 'eyeline/front-door/camera/cam_1/status'],
    ['camera enabled', topics.cameraEnabled('cam_1'), 'eyeline/front-door/camera/cam_1/enabled'],
    ['camera enabled set', topics.cameraEnabledSet('cam_1'), 'eyeline/front-door/camera/cam_1/enabled/set'],
  ])('%s', (_what, topic, expected) => {
    expect(topic).toBe(expected);
  });

  it('takes a prefix of several levels', () => {
    expect(deviceTopics('home/cameras', 'a').event).toBe('home/cameras/a/event');
  });

  it.each(['', '#', '$SYS', 'a/', '/a', 'a b', 'a/+/b'])('refuses the prefix "%s"', (prefix) => {
    expect(() => deviceTopics(prefix, 'a')).toThrow(RangeError);
  });

  it.each(['', 'A', 'a/b', '+', '#', 'ä', 'a b', '-a', 'a--b', 'a'.repeat(65)])('refuses the id "%s"', (id) => {
    expect(() => deviceTopics('eyeline', id)).toThrow(RangeError);
    expect(() => topics.cameraStatus(id)).toThrow(RangeError);
    expect(() => topics.cameraEnabledSet(id)).toThrow(RangeError);
  });
});
