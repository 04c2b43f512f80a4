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

/** The URL with user name and password put in, percent-encoded, so that no character of theirs can break it. */
export function withCredentials(url: string, credentials: Credentials | null | undefined): string {
  if (!credentials) return url;
  const login = [credentials.username, credentials.password].map(encode).join(':');
  return url.replace('://', () => `://${login}@`);
}

/**
 * A GStreamer pipeline for a source given without one. Decodes with what GStreamer ranks best (a Jetson's hardware
 * decoder among it) and keeps only the newest frame; OpenCV's own would buffer two seconds of RTSP.
 */
function pipeline({ source, transport, credentials }: SourceOptions, network: boolean, device: boolean): string {
  const toOpencv = 'videoconvert ! video/x-raw,format=BGR ! appsink drop=true max-buffers=1 sync=false';
  if (device) return `v4l2src device=${quote(source)} ! decodebin ! ${toOpencv}`;
  if (!network) {
    // Nothing is dropped: a file is read as fast as it is asked for.
    return `filesrc location=${quote(filePath(source))} ! decodebin ! ${toOpencv.replace('drop=true', 'drop=false')}`;
  }
  const login = credentials ? ` user-id=${quote(credentials.username)} user-pw=${quote(credentials.password)}` : '';
  if (!/^rtsp/i.test(source))
    return `souphttpsrc location=${quote(source)}${login} is-live=true ! decodebin ! ${toOpencv}`;
  return `rtspsrc location=${quote(source)}${login} protocols=${transport} latency=0 ! decodebin ! ${toOpencv}`;
}

/**
 * Options OpenCV hands to FFmpeg when it opens a network stream (`OPENCV_FFMPEG_CAPTURE_OPTIONS`). Time-outs are not
 * among them: FFmpeg 4 takes `timeout` as an order to listen and FFmpeg 5 no longer knows `stimeout`; the supervisor's
 * own clock does for both.
 */
export function ffmpegOptions(transport: 'tcp' | 'udp'): string {
  return `rtsp_transport;${transport}`;
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
