/** The real source of chance; everything else is handed one. */
export const realRandom = (): number => Math.random()
