import type { Box } from '../core/geometry.ts';

/**
 * Where a face is and how it moves, by a Kalman filter of constant velocity over its centre and height; its aspect hardly
 * changes and is only smoothed (Bewley et al., "Simple online and realtime tracking", ICIP 2016, whose covariances, like
 * those of ByteTrack, keep the axes apart: so each is a filter of two states of its own). Pixels and seconds.
 */
export interface Motion {
  readonly x: Axis;
  readonly y: Axis;
  readonly height: Axis;
  /** Width by height. */
  readonly aspect: number;
}

/** Position and velocity along one axis, with the variances and the covariance of both. */
interface Axis {
  readonly position: number;
  readonly velocity: number;
  readonly varPosition: number;
  readonly covariance: number;
  readonly varVelocity: number;
}

/** All in heights of the face, so that near and far faces are treated alike. Deviations: */
const MEASURED = 0.06;
/** of velocity before any is known, a second: people walk at six face heights a second. */
const FIRST_VELOCITY = { x: 3, y: 2, height: 0.5 };
/** Spectral density of the acceleration, squared heights by cubed seconds: how soon somebody starts, stops and turns. */
const RESTLESSNESS = { x: 10, y: 5, height: 0.2 };
/** Share of the aspect that one measurement replaces. */
const ASPECT_GAIN = 0.3;

/** Motion of a face seen for the first time. */
export function startMotion(box: Box): Motion {
  const axis = (position: number, velocity: number): Axis => ({
    position,
    velocity: 0,
    varPosition: (MEASURED * box.height) ** 2,
    covariance: 0,
    varVelocity: (velocity * box.height) ** 2,
  });
  return {
    x: axis(box.x + box.width / 2, FIRST_VELOCITY.x),
    y: axis(box.y + box.height / 2, FIRST_VELOCITY.y),
    height: axis(box.height, FIRST_VELOCITY.height),
    aspect: box.width / box.height,
  };
}

/** What is expected `ms` milliseconds later. */
export function predict(motion: Motion, ms: number): Motion {
  const seconds = Math.max(0, ms) / 1000;
  const square = motion.height.position ** 2;
  const height = predictAxis(motion.height, seconds, RESTLESSNESS.height * square);
  return {
    x: predictAxis(motion.x, seconds, RESTLESSNESS.x * square),
    y: predictAxis(motion.y, seconds, RESTLESSNESS.y * square),
    // A face that went away does not shrink to nothing.
    height: { ...height, position: Math.max(height.position, motion.height.position / 2) },
    aspect: motion.aspect,
  };
}

/** The prediction put right by where the face was found. */
export function correct(motion: Motion, box: Box): Motion {
  const variance = (MEASURED * motion.height.position) ** 2;
  return {
    x: correctAxis(motion.x, box.x + box.width / 2, variance),
    y: correctAxis(motion.y, box.y + box.height / 2, variance),
    height: correctAxis(motion.height, box.height, variance),
    aspect: motion.aspect + ASPECT_GAIN * (box.width / box.height - motion.aspect),
  };
}

/** The box expected. */
export function boxOf({ x, y, height, aspect }: Motion): Box {
  const width = height.position * aspect;
  return { x: x.position - width / 2, y: y.position - height.position / 2, width, height: height.position };
}

/** Deviation of the expected centre, pixels. */
export function spreadOf({ x, y }: Motion): { x: number; y: number } {
  return { x: Math.sqrt(x.varPosition), y: Math.sqrt(y.varPosition) };
}

/** How fast the face moves across the picture, in its own heights a second. */
export function speedOf({ x, y, height }: Motion): number {
  return Math.hypot(x.velocity, y.velocity) / height.position;
}

/**
 * How badly `box` suits what is expected: twice the negative logarithm of its likelihood, in face heights, but for a
 * constant. Of two tracks at the same distance from a face it suits the one that was surer to be there.
 */
export function misfit({ x, y, height }: Motion, box: Box): number {
  const unit = height.position ** 2;
  const term = (axis: Axis, measured: number) => {
    const variance = axis.varPosition + MEASURED ** 2 * unit;
    return (measured - axis.position) ** 2 / variance + Math.log(variance / unit);
  };
  return term(x, box.x + box.width / 2) + term(y, box.y + box.height / 2) + term(height, box.height);
}

/** `density` is that of a white acceleration: Bar-Shalom et al., "Estimation with Applications to Tracking", 6.2.2. */
function predictAxis(axis: Axis, seconds: number, density: number): Axis {
  return {
    position: axis.position + seconds * axis.velocity,
    velocity: axis.velocity,
    varPosition:
      axis.varPosition + 2 * seconds * axis.covariance + seconds ** 2 * axis.varVelocity + (density * seconds ** 3) / 3,
    covariance: axis.covariance + seconds * axis.varVelocity + (density * seconds ** 2) / 2,
    varVelocity: axis.varVelocity + density * seconds,
  };
}

function correctAxis(axis: Axis, measured: number, variance: number): Axis {
  const gain = axis.varPosition / (axis.varPosition + variance);
  const velocityGain = axis.covariance / (axis.varPosition + variance);
  const surprise = measured - axis.position;
  return {
    position: axis.position + gain * surprise,
    velocity: axis.velocity + velocityGain * surprise,
    varPosition: (1 - gain) * axis.varPosition,
    covariance: (1 - gain) * axis.covariance,
    varVelocity: axis.varVelocity - velocityGain * axis.covariance,
  };
}
