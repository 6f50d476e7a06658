//! One row of a swirl. Plain code in passes that compilers make vectors of; only looking things up is one by one.

/// Entries of the table but one: at a radius of 600 pixels, half-way out, two neighbours are 0.04 pixels apart.
pub const STEPS: usize = 1 << 14;

/// Bits behind the point of cosines and sines.
pub const TURN_BITS: u32 = 14;

/// Samples of one pass.
const MANY: usize = 16;

/// A row, and what it is made of. Distances are from the middle, in half samples, so that they are whole numbers.
#[derive(Debug, Clone, Copy)]
pub struct Row<'s> {
    /// Cosine (upper half) and sine of a turn, by the square of the distance; [`STEPS`] + 1 of them.
    pub table: &'s [u32],
    /// Of every sample of the plane: itself, its right, lower, and lower right neighbour, from the lowest byte on.
    pub quads: &'s [u32],
    /// Of the plane.
    pub width: i32,
    /// Of the plane.
    pub height: i32,
    /// Distance of the row.
    pub dy: i32,
    /// Distance of its first sample.
    pub dx: i32,
}

/// Fills a row. What is further out than the table goes is not turned.
#[inline(always)]
pub fn fill(out: &mut [u8], row: &Row<'_>) {
    let Row { table, quads, width, height, dy, .. } = *row;
    // The square of a distance, with 16 bits, times this is a step of the table with 14 more.
    let square = width * width;
    let cut = (32 - square.leading_zeros()).saturating_sub(16);
    let most = (square >> cut).max(1);
    let scale = ((STEPS as i32) << TURN_BITS) / most;
    // Places are in 256ths of a sample; the middle is measured from the middle of the first sample.
    let shift = TURN_BITS + 1 - 8;
    let (middle_x, middle_y) = ((width << 7) - 128, (height << 7) - 128);
    let (last_x, last_y) = ((width - 1) << 8, (height - 1) << 8);
    let mut first = row.dx;
    for part in out.chunks_mut(MANY) {
        let mut steps = [0i32; MANY];
        for (index, step) in steps.iter_mut().enumerate() {
            let dx = first + 2 * index as i32;
            let distance = dx * dx + dy * dy;
            *step = (((distance >> cut).min(most) * scale) >> TURN_BITS).min(STEPS as i32);
        }
        let turns = steps.map(|step| table[step as usize]);
        let (mut places, mut parts_x, mut parts_y) = ([0i32; MANY], [0i32; MANY], [0i32; MANY]);
        for (index, turn) in turns.iter().enumerate() {
            let dx = first + 2 * index as i32;
            let (cos, sin) = (*turn as i32 >> 16, ((*turn << 16) as i32) >> 16);
            let x = (middle_x + ((dx * cos - dy * sin) >> shift)).clamp(0, last_x);
            let y = (middle_y + ((dx * sin + dy * cos) >> shift)).clamp(0, last_y);
            places[index] = (y >> 8) * width + (x >> 8);
            (parts_x[index], parts_y[index]) = (x & 255, y & 255);
        }
        let four = places.map(|place| quads[place as usize]);
        let mut samples = [0u8; MANY];
        for (index, sample) in samples.iter_mut().enumerate() {
            let byte = |at: u32| ((four[index] >> at) & 255) as i32;
            let above = (byte(0) << 8) + (byte(8) - byte(0)) * parts_x[index];
            let below = (byte(16) << 8) + (byte(24) - byte(16)) * parts_x[index];
            *sample = (((above << 8) + (below - above) * parts_y[index] + (1 << 15)) >> 16) as u8;
        }
        part.copy_from_slice(&samples[..part.len()]);
        first += 2 * MANY as i32;
    }
}
