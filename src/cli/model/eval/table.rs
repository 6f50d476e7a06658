//! The measurements, as a table for people and as JSON. PURE.

use serde_json::{Value, json};

use super::{
    keypoints::Agreement,
    score::{Score, Size},
    sets::Set,
};

/// Share of a frame below which a mask of an empty room counts as empty.
const EMPTY: f64 = 0.01;

/// IoU below which somebody counts as lost: means hide that.
const LOST: f64 = 0.5;

/// A mean that grows.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn get(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// One model at one input size with one pipeline.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    pub model: String,
    /// The network's input.
    pub input: Size,
    pub pipeline: &'static str,
    /// Milliseconds a frame from planes to logits, and from logits to the mask.
    pub ms: (f64, f64),
    /// IoU and boundary F, by [`Set::ALL`].
    scores: [(Mean, Mean); Set::ALL.len()],
    /// Share of pictures under [`LOST`], by the same.
    lost: [Mean; Set::ALL.len()],
    flicker: Mean,
    empty: Mean,
    /// The same of [`Set::Negatives`].
    fooled: Mean,
    /// Shares of keypoints, and of pictures, that are right.
    keypoints: (Mean, Mean),
    /// The largest mask of an empty room: its share and the room's name.
    worst: (f64, String),
}

impl Row {
    pub(super) fn new(model: &str, input: Size, pipeline: &'static str) -> Self {
        Self { model: model.to_owned(), input, pipeline, ..Self::default() }
    }

    pub(super) fn score(&mut self, set: Set, score: Score) {
        let (iou, boundary) = &mut self.scores[set as usize];
        iou.add(score.iou);
        boundary.add(score.boundary);
        self.lost[set as usize].add(if score.iou < LOST { 1.0 } else { 0.0 });
    }

    pub(super) fn flicker(&mut self, flicker: f64) {
        self.flicker.add(flicker);
    }

    /// Adds how the keypoints of a picture are.
    pub(super) fn keypoints(&mut self, Agreement { compared, right }: Agreement) {
        for index in 0..compared {
            self.keypoints.0.add(if index < right { 1.0 } else { 0.0 });
        }
        self.keypoints.1.add(if compared == right { 1.0 } else { 0.0 });
    }

    /// Adds what a mask keeps of a picture without people that looks as if there were some.
    pub(super) fn negative(&mut self, kept: f64) {
        self.fooled.add(if kept < EMPTY { 1.0 } else { 0.0 });
    }

    /// Adds what a mask keeps of an empty room.
    pub(super) fn room(&mut self, name: &str, kept: f64) {
        self.empty.add(if kept < EMPTY { 1.0 } else { 0.0 });
        if kept > self.worst.0 || self.worst.1.is_empty() {
            self.worst = (kept, name.to_owned());
        }
    }

    fn cells(&self) -> Vec<String> {
        let mut cells =
            vec![self.model.clone(), format!("{}x{}", self.input.0, self.input.1), self.pipeline.to_owned()];
        for set in Set::ALL.into_iter().filter(|set| !set.is_empty()) {
            let (iou, boundary) = self.scores[set as usize];
            let lost = self.lost[set as usize].get().unwrap_or_default();
            cells.push(match (iou.get(), boundary.get()) {
                (Some(iou), Some(boundary)) if lost > 0.0 => {
                    format!("{iou:.3} / {boundary:.3} ({:.0} %)", lost * 100.0)
                }
                (Some(iou), Some(boundary)) => format!("{iou:.3} / {boundary:.3}"),
                _ => "-".to_owned(),
            });
        }
        cells.push(self.flicker.get().map_or("-".into(), |flicker| format!("{:.2}", flicker * 1000.0)));
        cells.push(self.empty.get().map_or("-".into(), |empty| format!("{:.0} %", empty * 100.0)));
        cells.push(match self.empty.get() {
            Some(_) => format!("{:.1} %, {}", self.worst.0 * 100.0, self.worst.1),
            None => "-".into(),
        });
        cells.push(self.fooled.get().map_or("-".into(), |empty| format!("{:.0} %", empty * 100.0)));
        cells.push(match (self.keypoints.0.get(), self.keypoints.1.get()) {
            (Some(points), Some(pictures)) => format!("{:.0} % / {:.0} %", points * 100.0, pictures * 100.0),
            _ => "-".into(),
        });
        cells.extend([format!("{:.2}", self.ms.0), format!("{:.2}", self.ms.1)]);
        cells
    }

    fn json(&self) -> Value {
        let mut sets = serde_json::Map::new();
        for set in Set::ALL {
            let (iou, boundary) = self.scores[set as usize];
            if let (Some(found), Some(f)) = (iou.get(), boundary.get()) {
                let lost = self.lost[set as usize].get();
                let entry = json!({ "pictures": iou.count, "iou": found, "boundary_f": f, "under_half": lost });
                sets.insert(set.name().to_owned(), entry);
            }
        }
        let rooms = self.empty.get().map(|empty| {
            json!({ "pictures": self.empty.count, "empty": empty, "worst": self.worst.1, "worst_kept": self.worst.0 })
        });
        json!({
            "model": self.model,
            "input": [self.input.0, self.input.1],
            "pipeline": self.pipeline,
            "sets": sets,
            "flicker": self.flicker.get(),
            "empty_rooms": rooms,
            "negatives": self.fooled.get().map(|empty| json!({ "pictures": self.fooled.count, "empty": empty })),
            "keypoints": self.keypoints.0.get(),
            "keypoint_pictures": self.keypoints.1.get(),
            "network_ms": self.ms.0,
            "mask_ms": self.ms.1,
        })
    }
}

/// Returns all rows in one table, valid as Markdown; pictures are counted in the head. In brackets stands the share of
/// pictures whose IoU is below one half, where there are any.
pub(super) fn text(rows: &[Row]) -> String {
    let mut head: Vec<String> = ["model", "input", "pipeline"].map(str::to_owned).to_vec();
    for set in Set::ALL.into_iter().filter(|set| !set.is_empty()) {
        let count = rows.first().map_or(0, |row| row.scores[set as usize].0.count);
        head.push(format!("{} ({count})", set.name()));
    }
    let rooms = rows.first().map_or(0, |row| row.empty.count);
    head.extend(["flicker".into(), format!("empty rooms ({rooms})"), "worst room".into()]);
    head.push(format!("negatives ({})", rows.first().map_or(0, |row| row.fooled.count)));
    head.push(format!("keypoints ({})", rows.first().map_or(0, |row| row.keypoints.1.count)));
    head.extend(["network ms".into(), "mask ms".into()]);
    let cells: Vec<Vec<String>> = rows.iter().map(Row::cells).collect();
    let width = |column: usize| cells.iter().chain([&head]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut lines = vec![line(&head), line(&rule)];
    lines.extend(cells.iter().map(|row| line(row)));
    lines.join("\n")
}

/// Returns all rows, as a list.
pub(super) fn to_json(rows: &[Row]) -> Value {
    rows.iter().map(Row::json).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        let mut row = Row::new("some", (257, 145), "server");
        row.score(Set::Webcam, Score { iou: 0.5, boundary: 0.25 });
        row.score(Set::Webcam, Score { iou: 1.0, boundary: 0.75 });
        row.flicker(0.002);
        row.room("hall", 0.0);
        row.room("shop", 0.3);
        row.room("yard", 0.009);
        row.room("yacht", 0.009);
        row.keypoints(Agreement { compared: 1, right: 1 });
        row.keypoints(Agreement { compared: 3, right: 2 });
        row.score(Set::General, Score { iou: 0.25, boundary: 0.5 });
        row.score(Set::General, Score { iou: 0.75, boundary: 0.5 });
        row.negative(0.5);
        row.ms = (1.5, 0.5);
        row
    }

    #[test]
    fn the_table_holds_means_and_what_is_missing() {
        let text = text(&[row()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[0].contains("webcam (2)") && lines[0].contains("empty rooms (4)"), "{text}");
        let cells: Vec<&str> = lines[2].split('|').map(str::trim).collect();
        assert_eq!(&cells[1..6], ["some", "257x145", "server", "0.750 / 0.500", "-"]);
        assert_eq!(cells[9], "0.500 / 0.500 (50 %)");
        assert_eq!(&cells[11..18], ["2.00", "75 %", "30.0 %, shop", "0 %", "75 % / 50 %", "1.50", "0.50"]);
        assert!(lines.iter().all(|line| line.matches('|').count() == lines[0].matches('|').count()), "{text}");
    }

    #[test]
    fn json_has_the_same_numbers() {
        let json = to_json(&[row()]);
        assert_eq!(
            json[0]["sets"]["webcam"],
            json!({ "pictures": 2, "iou": 0.75, "boundary_f": 0.5, "under_half": 0.0 })
        );
        assert_eq!(json[0]["negatives"], json!({ "pictures": 1, "empty": 0.0 }));
        assert_eq!(json[0]["empty_rooms"]["worst"], "shop");
        assert!(json[0]["sets"].get("GRID").is_none());
    }
}
