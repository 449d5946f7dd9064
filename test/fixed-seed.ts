import fc from 'fast-check'

/**
 * CI tries the same random cases with every change, so that a red one is the doing of the change.
 * Every run elsewhere tries new ones.
 */
if (process.env.CI) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_124 })
