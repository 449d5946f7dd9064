/** How long a lease lasts without being renewed. */
export const LEASE_MS = 5000
/** How often it is renewed: an answer may be lost twice. */
export const RENEW_MS = 1600
