import { fileURLToPath } from 'node:url';
import type { SourceRequest } from './protocol.ts';

export interface SourceOptions {
  /** rtsp, rtsps, http or https URL, file, /dev/videoN, or a GStreamer pipeline. */
  readonly source: string;
  readonly backend: 'auto' | 'ffmpeg' | 'gstreamer';
  readonly transport: 'tcp' | 'udp';
  readonly loop: boolean;
  readonly credentials?: Credentials | null | undefined;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const NETWORK = /^(?:rtsps?|https?):\/\//i;
const DEVICE = /^\/dev\/video\d+$/;
const PIPELINE = / ! /;

/** What OpenCV is to open, and how, for a configured camera. */
export function sourceRequest(options: SourceOptions): SourceRequest {
  const { source, backend, loop } = options;
  if (PIPELINE.test(source) && backend !== 'ffmpeg') {
    return { target: source, api: 'gstreamer', file: false, loop: false };
  }
  const network = NETWORK.test(source);
  const device = DEVICE.test(source);
  const file = !network && !device;
  if (backend === 'gstreamer') return { target: pipeline(options, network, device), api: 'gstreamer', file, loop };
  if (device) return { target: source, api: 'v4l2', file, loop: false };
  if (network) return { target: withCredentials(source, options.credentials), api: 'ffmpeg', file, loop: false };
  return { target: filePath(source), api: 'ffmpeg', file, loop };
}

/**
 * The URL with user name and password put in, percent-encoded, so that no character of theirs can break it. A URL that
 * holds a user name already is left as it is.
 */
export function withCredentials(url: string, credentials: Credentials | null | undefined): string {
  if (!credentials || /^[^:]+:\/\/[^/?#]*@/.test(url)) return url;
  const login = [credentials.username, credentials.password].map(encode).join(':');
  return url.replace('://', () => `://${login}@`);
}

/**
 * A GStreamer pipeline for a source given without one. Decodes with what GStreamer ranks best and keeps only the
 * newest frame; the one OpenCV would make up buffers two seconds of RTSP.
 */
function pipeline({ source, transport, credentials }: SourceOptions, network: boolean, device: boolean): string {
  const decode = 'decodebin ! videoconvert ! video/x-raw,format=BGR ! appsink sync=false max-buffers=1';
  if (device) return `v4l2src device=${quote(source)} ! ${decode} drop=true`;
  if (!network) return `filesrc location=${quote(filePath(source))} ! ${decode}`;
  const location = quote(withCredentials(source, credentials));
  if (!/^rtsp/i.test(source)) return `souphttpsrc location=${location} is-live=true ! ${decode} drop=true`;
  // TCP brings packets in order: nothing to wait for. UDP needs time to sort them.
  const latencyMs = transport === 'tcp' ? 0 : 200;
  const rtsp = `rtspsrc location=${location} protocols=${transport} latency=${latencyMs} drop-on-latency=true`;
  return `${rtsp} ! application/x-rtp,media=video ! ${decode} drop=true`;
}

/**
 * What OpenCV is to tell FFmpeg (`OPENCV_FFMPEG_CAPTURE_OPTIONS`) when it opens a network stream; empty for others.
 *
 * FFmpeg would watch a stream for 20 frames to tell its rate, two seconds at 10 fps, and nobody asks. `nobuffer` is
 * left out: it throws away the frames seen while opening, the first keyframe among them. Time-outs are left out: FFmpeg
 * 4 takes `timeout` as an order to listen and FFmpeg 5 no longer knows `stimeout`; the supervisor's own clock is there
 * for both.
 */
export function ffmpegOptions({ source, transport }: Pick<SourceOptions, 'source' | 'transport'>): string {
  return NETWORK.test(source) && !PIPELINE.test(source) ? `rtsp_transport;${transport}|fpsprobesize;1` : '';
}

function filePath(source: string): string {
  return source.startsWith('file://') ? fileURLToPath(source) : source;
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A value inside a pipeline description: in double quotes, backslashes and quotes escaped. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
