/** A rule that needs no tokeniser and is exact. */
export const BYTES_PER_TOKEN = 4

/** Bytes of UTF-8 divided by four. */
export function tokensOfText(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN)
}
