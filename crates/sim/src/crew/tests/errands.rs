use super::*;
use crate::jobs::{Jobs, NewJob};

/// Two hundred lamps and a service that has work for them, without a broker.
struct Rollout {
    crew: Crew,
    jobs: Jobs,
    now_ms: u64,
    reported: Vec<String>,
}

impl Rollout {
    fn of(document: Value, faults: &str) -> Self {
        let names: Vec<String> = (0..200).map(|n| format!("lamp-{n:04}")).collect();
        let devices: Vec<Device> =
            names.iter().map(|name| Device::lamp(post(name), Dice::new(1), 10_000, MIDNIGHT)).collect();
        let outbreak = Outbreak::of(&devices, &faults.parse().unwrap(), Dice::new(1));
        let job = NewJob { id: "r".into(), document, targets: names, per_minute: 600, begins_ms: 0 };
        let crew = Crew::new(devices, &[], &outbreak, PACE, Dice::new(1)).with_errands(|_| true, (2_000.0, 5_000.0));
        let mut rollout = Self { crew, jobs: Jobs::of(vec![job]), now_ms: 0, reported: Vec::new() };
        rollout.crew.connected(rollout.moment());
        rollout
    }

    fn moment(&self) -> Moment {
        let wall_ms = MIDNIGHT + self.now_ms as i64;
        Moment { mono_ms: self.now_ms, wall_ms, sim_ms: wall_ms }
    }

    fn run_until(&mut self, until_ms: u64) {
        while self.now_ms < until_ms {
            self.now_ms += 100;
            let (now, now_s) = (self.moment(), self.moment().wall_ms / 1_000);
            let mut out = Vec::new();
            self.crew.work(now, 10_000, &mut out);
            let mut told = self.jobs.work(self.now_ms, now_s);
            while !(told.is_empty() && out.is_empty()) {
                for message in out.drain(..) {
                    told.extend(self.jobs.handle(&message.topic, &message.payload, now_s));
                    if message.topic.ends_with("/shadow/update") && message.payload.windows(5).any(|at| at == b"2.5.0")
                    {
                        self.reported.push(message.topic);
                    }
                }
                for (topic, payload) in told.drain(..) {
                    self.crew.hear(&topic, &payload, now, &mut out);
                }
            }
        }
    }
}

#[test]
fn lamps_take_a_new_firmware_slowly_and_a_share_of_them_in_vain() {
    let mut rollout = Rollout::of(json!({"operation": "firmware_update", "version": "2.5.0"}), "none");
    rollout.run_until(10_000);
    let early = rollout.jobs.counts("r");
    assert!(early.in_progress > 10 && early.succeeded == 0, "{early:?}");
    rollout.run_until(120_000);
    let counts = rollout.jobs.counts("r");
    assert_eq!((counts.total(), counts.over()), (200, 200));
    assert!((10..60).contains(&counts.failed), "{counts:?}");
    assert_eq!(counts.succeeded + counts.failed, 200, "{counts:?}");
    assert_eq!(rollout.reported.len() as u32, counts.succeeded, "who has it reports it, once");
}

#[test]
fn a_lamp_that_was_silent_does_its_job_when_it_is_back_and_one_that_cannot_says_so() {
    let mut rollout = Rollout::of(json!({"operation": "reboot"}), "silence");
    rollout.run_until(900_000);
    let counts = rollout.jobs.counts("r");
    assert!(counts.over() > 190 && counts.rejected == 0, "{counts:?}");
    let mut strange = Rollout::of(json!({"operation": "sing"}), "none");
    strange.run_until(60_000);
    assert_eq!(strange.jobs.counts("r").rejected, 200);
}
