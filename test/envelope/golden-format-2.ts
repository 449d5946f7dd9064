// Envelopes as format 2 wrote them once, in hex. Entries like these are in the stores of users: never
// regenerate this file. A change of the format is a new version with a golden file of its own.

/** `SAMPLE` of sample-fields.ts, not compressed. */
export const GOLDEN_PLAIN = [
  'f552020099f21db9725d3ab719d1d58befbeadde57000000190000001b00000000b0c706450c7a4200b00550',
  '450c7a42000000000000f07fffffffffffff3f430e007275743a31323334353637382d350700c3b1616e64c3',
  'ba4a7b226964223a34322c226e616d65223a22c3b1616e64c3ba227d5ee53101',
].join('')

/** The same with the payload `J"abcabc…"` (60 times `abc`), compressed with gzip. */
export const GOLDEN_GZIP = [
  'f5520201884a454d725d3ab719d1d58befbeadde57000000190000002000000000b0c706450c7a4200b00550',
  '450c7a42000000000000f07fffffffffffff3f430e007275743a31323334353637382d350700c3b1616e64c3',
  'bab70000001f8b0800000000000003f3524a4c4a1e72480900132b85b2b7000000e9d0a686',
].join('')
