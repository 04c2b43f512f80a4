import fc from 'fast-check';

/**
 * Property tests draw the same values in every run, so that a run that fails fails again. Others are looked for on
 * purpose: `EYELINE_PROPERTY_SEED=2 EYELINE_PROPERTY_RUNS=2000 npx vitest run --project unit`.
 */
const { EYELINE_PROPERTY_SEED: seed = '1', EYELINE_PROPERTY_RUNS: runs } = process.env;
fc.configureGlobal({ seed: Number(seed), ...(runs && { numRuns: Number(runs) }) });
