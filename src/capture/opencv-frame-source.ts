import type { Clock } from '../core/clock.ts';
import { EyelineError } from '../core/errors.ts';
import type { Size } from '../core/geometry.ts';
import { FrameAge } from './frame-age.ts';
import { answered, type Mat, type Opencv, type VideoCapture } from './opencv.ts';
import { OpencvPicture } from './opencv-picture.ts';
import type { SourceRequest } from './protocol.ts';

/** Rate a file is played at when it does not say its own. */
const DEFAULT_FILE_FPS = 25;
/** A file that fell behind this much (the machine slept, the disk hung) goes on from there, it does not catch up. */
const LATE_MS = 1000;

/** Reads a camera, stream or file through OpenCV, on and on, and hands out every frame it decodes. */
export class OpencvFrameSource {
  readonly #cv: Opencv;
  readonly #request: SourceRequest;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  #capture: VideoCapture | undefined;

  constructor(cv: Opencv, request: SourceRequest, clock: Clock) {
    this.#cv = cv;
    this.#request = request;
    this.#clock = clock;
  }

  /**
   * Opens the source and gives its frame size. Blocks the thread until it is open: for a dead camera that may be half
   * a minute.
   *
   * Throws EyelineError CAMERA_OPEN_FAILED; its message does not name the source.
   */
  open(): Size {
    const cv = this.#cv;
    const { api, target } = this.#request;
    const number = { ffmpeg: cv.CAP_FFMPEG, gstreamer: cv.CAP_GSTREAMER, v4l2: cv.CAP_V4L2 }[api];
    try {
      this.#capture = new cv.VideoCapture(target, number);
    } catch (error) {
      throw new EyelineError('CAMERA_OPEN_FAILED', `OpenCV (${api}) cannot open it`, { cause: error });
    }
    return {
      width: this.#capture.get(cv.CAP_PROP_FRAME_WIDTH),
      height: this.#capture.get(cv.CAP_PROP_FRAME_HEIGHT),
    };
  }

  /**
   * Reads until the source ends or `close` is called; never waits for whoever takes the frames. Files are played at
   * their own rate.
   *
   * @param onPicture is told how old the picture is, milliseconds: a backlog after a stall is not new
   */
  async run(onPicture: (picture: OpencvPicture, ageMs: number) => void): Promise<void> {
    const pace = this.#isRecording() ? new Pace(this.#intervalMs(), this.#clock) : undefined;
    const age = this.#tellsTime() ? new FrameAge() : undefined;
    let frames = 0;
    try {
      while (this.#capture && !this.#closing.signal.aborted) {
        const mat = await this.#read(this.#capture);
        if (mat.empty) {
          mat.release();
          if (!this.#request.loop || frames === 0) return;
          frames = 0;
          this.#capture.release();
          this.open();
          continue;
        }
        frames++;
        const presentedMs = age && this.#capture.get(this.#cv.CAP_PROP_POS_MSEC);
        const ageMs = presentedMs === undefined ? 0 : (age?.of(presentedMs, this.#clock.monotonic()) ?? 0);
        await pace?.wait(this.#closing.signal);
        if (this.#closing.signal.aborted) mat.release();
        else onPicture(new OpencvPicture(this.#cv, mat), ageMs);
      }
    } finally {
      // Says good-bye to an RTSP server: many cameras allow only a few sessions and keep a lost one for a minute.
      this.#capture?.release();
      this.#capture = undefined;
    }
  }

  /** Makes `run` end after the read that is under way. */
  close(): void {
    this.#closing.abort();
  }

  #read(capture: VideoCapture): Promise<Mat> {
    return answered<Mat>((done) => capture.readAsync(done));
  }

  /** Whether frames come as fast as they are read: a file here or behind a web server, not a live stream. */
  #isRecording(): boolean {
    const { file, target } = this.#request;
    if (file) return true;
    return /^https?:/i.test(target) && (this.#capture?.get(this.#cv.CAP_PROP_FRAME_COUNT) ?? 0) > 0;
  }

  /**
   * Whether frames carry the camera's own time, as RTP demands. For HTTP FFmpeg makes one up from a rate; what GStreamer and
   * devices tell is not their frames' time on every version.
   */
  #tellsTime(): boolean {
    const { api, target } = this.#request;
    return api === 'ffmpeg' && /^rtsps?:/i.test(target);
  }

  #intervalMs(): number {
    const fps = this.#capture?.get(this.#cv.CAP_PROP_FPS) ?? 0;
    return 1000 / (fps > 0 && fps <= 240 ? fps : DEFAULT_FILE_FPS);
  }
}

/** Holds every frame back until its time has come. */
class Pace {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  #dueMs: number | undefined;

  constructor(intervalMs: number, clock: Clock) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const now = this.#clock.monotonic();
    const due = this.#dueMs === undefined || now - this.#dueMs > LATE_MS ? now : this.#dueMs;
    this.#dueMs = due + this.#intervalMs;
    if (due > now) await this.#clock.sleep(due - now, signal).catch(() => undefined);
  }
}
