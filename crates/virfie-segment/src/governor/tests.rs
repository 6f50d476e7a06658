use super::{super::crowd::frames_every, *};

/// At worst one inference for so many frames.
const SPARSEST: u32 = EVERY[EVERY.len() - 1];

/// Judges once a second; `late` gives the share of late frames from what is given up. Returns the plans, second by
/// second.
fn run(governor: &mut Governor, from: u64, seconds: u64, spare: u32, late: impl Fn(MaskPlan) -> f32) -> Vec<MaskPlan> {
    (from..from + seconds)
        .map(|second| {
            let share = late(governor.plan());
            governor.frames(((1.0 - share) * 100.0).round() as u32, (share * 100.0).round() as u32);
            governor.spares(spare);
            governor.ticks(30, 0);
            governor.judge(Duration::from_secs(second + 1));
            governor.plan()
        })
        .collect()
}

/// Returns how late frames are on a machine of `cores` where so many people are cut out. A mask costs `20 ms` at the
/// full size, a quarter less for each size that it is smaller, and a frame that is looked at costs 4 ms in any case.
fn late_of(plan: MaskPlan, people: u32, cores: f32) -> f32 {
    let mask = 20.0 * 0.75f32.powi(plan.shrinking as i32);
    let frames: f32 = (0..people).map(|who| 30.0 / frames_every(plan.thinning, who < people / 2) as f32).sum();
    let masks = (people as f32 * 30.0 / plan.every as f32).min(frames);
    let work = (frames * 4.0 + masks * mask) / 1000.0;
    (1.0 - cores / work).max(0.0)
}

#[test]
fn a_calm_machine_gives_up_nothing() {
    let mut governor = Governor::new(Duration::ZERO);
    let whole = MaskPlan { shrinking: 0, every: 1, thinning: 0 };
    assert!(run(&mut governor, 0, 100, 3, |_| 0.01).iter().all(|plan| *plan == whole));
}

#[test]
fn inputs_become_smaller_before_masks_become_fewer_and_frames_are_thinned_last() {
    let mut governor = Governor::new(Duration::ZERO);
    let plans = run(&mut governor, 0, 14, 2, |_| 0.2);
    let seen: Vec<(u32, u32, u32)> = plans.iter().map(|plan| (plan.shrinking, plan.every, plan.thinning)).collect();
    assert_eq!(&seen[..4], [(1, 1, 0), (2, 1, 0), (2, 2, 0), (2, 3, 0)]);
    assert_eq!(seen[7], (2, SPARSEST, 0));
    assert_eq!(seen[13], (2, SPARSEST, THINNEST));
}

#[test]
fn small_inputs_cannot_be_made_smaller() {
    let mut governor = Governor::new(Duration::ZERO);
    assert_eq!(run(&mut governor, 0, 1, 0, |_| 0.2)[0], MaskPlan { shrinking: 0, every: 2, thinning: 0 });
}

#[test]
fn a_machine_far_too_small_is_met_by_two_steps_at_once() {
    let mut governor = Governor::new(Duration::ZERO);
    assert_eq!(run(&mut governor, 0, 1, 0, |_| 0.5)[0].every, 3);
}

#[test]
fn it_comes_to_rest_where_the_machine_keeps_up() {
    for (people, cores) in [(4, 1.5), (8, 1.5), (12, 1.0), (16, 1.0)] {
        let mut governor = Governor::new(Duration::ZERO);
        let plans = run(&mut governor, 0, 120, 3, |plan| late_of(plan, people, cores));
        let too_late = |plan: &&MaskPlan| late_of(**plan, people, cores) > TOO_LATE + 0.01;
        let late = plans[20..].iter().filter(too_late).count();
        assert!(late <= 12, "{people} people on {cores} cores: late in {late} of 100 seconds");
        let masks = plans.iter().map(|plan| 30 / plan.every).min();
        assert!(masks >= Some(2), "everybody keeps some masks");
    }
}

#[test]
fn starving_is_not_taken_for_calm() {
    let mut governor = Governor::new(Duration::ZERO);
    governor.frames(6, 54);
    assert_eq!(governor.judge(WINDOW).map(|plan| plan.every), Some(3));
}

#[test]
fn late_output_counts_even_when_no_frame_waits() {
    let mut governor = Governor::new(Duration::ZERO);
    governor.frames(100, 0);
    governor.ticks(30, 3);
    assert_eq!(governor.judge(WINDOW).map(|plan| plan.every), Some(2));
}

#[test]
fn late_output_of_a_room_that_cuts_nobody_out_is_not_the_segmentation_s_fault() {
    let mut governor = Governor::new(Duration::ZERO);
    governor.ticks(30, 30);
    assert_eq!(governor.judge(WINDOW), None);
}

#[test]
fn calm_brings_everything_back_step_by_step() {
    let mut governor = Governor::new(Duration::ZERO);
    run(&mut governor, 0, 10, 3, |_| 0.9);
    let steps = |plan: &MaskPlan| {
        let sparse = EVERY.iter().position(|every| *every == plan.every).unwrap_or(0);
        plan.shrinking as usize + sparse + plan.thinning as usize
    };
    let back = run(&mut governor, 10, 40, 3, |_| 0.0);
    assert_eq!(back.last(), Some(&MaskPlan { shrinking: 0, every: 1, thinning: 0 }));
    assert!(back.windows(2).all(|pair| steps(&pair[0]) - steps(&pair[1]) <= 1), "one step at a time: {back:?}");
}

#[test]
fn a_trial_that_fails_makes_the_next_one_wait_longer() {
    let mut governor = Governor::new(Duration::ZERO);
    let plans = run(&mut governor, 0, 120, 0, |plan| if plan.every == 1 { 0.3 } else { 0.0 });
    let trials: Vec<usize> = (1..plans.len()).filter(|at| plans[*at].every == 1 && plans[at - 1].every == 2).collect();
    let waits: Vec<usize> = trials.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.len() >= 3 && waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
}

#[test]
fn bursts_shorter_than_a_window_change_nothing() {
    let mut governor = Governor::new(Duration::ZERO);
    governor.frames(5, 5);
    assert_eq!(governor.judge(WINDOW / 2), None);
    governor.frames(95, 0);
    assert_eq!(governor.judge(WINDOW), None);
}
