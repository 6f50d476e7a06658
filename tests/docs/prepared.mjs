// What a server of the documentation's tests needs is made, or all of it is ended.

/** Prepares a studio, and ends it where that fails. Resolves to the studio. */
export async function prepared(studio) {
  try {
    await studio.prepare();
  } catch (error) {
    await studio.end();
    throw error;
  }
  return studio;
}
