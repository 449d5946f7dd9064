/** At most so many pieces of much the same length; no character is cut in two. */
export function cutText(text: string, pieces: number): readonly string[] {
  const characters = Array.from(text)
  const length = Math.max(1, Math.ceil(characters.length / pieces))
  const cut: string[] = []
  for (let at = 0; at < characters.length; at += length) {
    cut.push(characters.slice(at, at + length).join(''))
  }
  return cut
}
