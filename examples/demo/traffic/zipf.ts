/**
 * Draws ranks 0 to size - 1 where rank r is drawn in proportion to 1 / (r + 1) ** exponent: a few
 * favourites and a long tail, as documents and partners are in real traffic.
 */
export function zipf(size: number, exponent: number, random: () => number): () => number {
  const cumulative: number[] = []
  let total = 0
  for (let rank = 1; rank <= size; rank++) {
    total += rank ** -exponent
    cumulative.push(total)
  }
  return () => {
    const target = random() * total
    return cumulative.findIndex((sum) => sum > target)
  }
}
