// Initial weights, drawn as the library draws them.

/** `rows` by `columns` from U(-limit, limit) with limit^2 = 6 / (rows + columns) (Glorot & Bengio 2010). */
export function glorot(random, rows, columns) {
  const limit = Math.sqrt(6 / (rows + columns));
  return Float32Array.from({ length: rows * columns }, () => limit * (2 * random.uniform() - 1));
}

/** `scale` times a random orthogonal matrix of `size` rows (Saxe et al. 2014), by Gram-Schmidt with a second pass. */
export function orthogonal(random, size, scale) {
  const rows = Array.from({ length: size }, () => Float64Array.from({ length: size }, () => random.normal()));
  const dot = (a, b) => a.reduce((sum, value, place) => sum + value * b[place], 0);
  const basis = [];
  for (const row of rows) {
    for (const other of [...basis, ...basis]) {
      const share = dot(row, other);
      other.forEach((value, place) => { row[place] -= share * value; });
    }
    const length = Math.sqrt(dot(row, row));
    basis.push(row.map((value) => value / length));
  }
  return Float32Array.from(basis.flatMap((row) => Array.from(row, (value) => scale * value)));
}

/** `count` numbers from U(-1/sqrt(units), 1/sqrt(units)), as the library draws its readouts. */
export function uniform(random, count, units) {
  return Float32Array.from({ length: count }, () => (2 * random.uniform() - 1) / Math.sqrt(units));
}
