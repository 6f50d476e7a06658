// What the numbers of a soak say.

/** The slope of the line through points `[x, y]` that misses them least; 0 for fewer than two. */
export function slope(points) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [0, 1].map((index) => mean(points.map((point) => point[index])));
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return spread ? points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread : 0;
}

/** Lines of a log in which GLib, GStreamer or a panic complains. */
export function complaints(log) {
  return log.split("\n").filter((line) => /GLib|GStreamer-CRITICAL|CRITICAL \*\*|panicked/.test(line));
}
