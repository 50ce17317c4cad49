//! What came of each thing of a bulk command.

use std::io;
use std::ops::ControlFlow;

use fleetlens_model::bulk::{Head, Progress};
use fleetlens_model::command::Phase;
use fleetlens_store::{Reading, StoreError};
use serde::Serialize;

use super::{Sheet, harmless, rfc3339};

/// The columns of a sheet.
pub const FIELDS: [&str; 6] = ["thing", "wanted", "result", "command", "time", "detail"];

/// Writes its things in the order of their release: what could not be read fails, what could not be written is in the answer.
pub fn write(reading: &Reading, head: &Head, sheet: &mut Sheet<'_>) -> Result<io::Result<()>, StoreError> {
    write_while(reading, head, sheet, || Ok(()))
}

/// The same for as long as `goes_on` says so; else its error is in the answer.
pub fn write_while(
    reading: &Reading,
    head: &Head,
    sheet: &mut Sheet<'_>,
    goes_on: impl Fn() -> io::Result<()>,
) -> Result<io::Result<()>, StoreError> {
    let mut written = Ok(());
    let wanted = wanted(head);
    reading.bulk_rows(head.id, |thing, progress| {
        let line = Line::of(thing, &wanted, &progress);
        written = goes_on().and_then(|()| sheet.write(&line, || line.fields()));
        if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(written)
}

/// What was wanted of each, in a line.
pub fn wanted(head: &Head) -> String {
    let wishes = head.order.wishes.iter().map(|wish| format!("{} = {}", wish.pointer, wish.value_json));
    wishes.collect::<Vec<_>>().join(", ")
}

/// What came of a thing.
#[derive(Serialize)]
struct Line<'a> {
    thing: &'a str,
    wanted: &'a str,
    /// A command's phase, or `never-obeyed`, `waiting`, `same`, `cannot`.
    result: &'static str,
    command: Option<u64>,
    /// Since when, where it has a command.
    time: Option<String>,
    /// Why, where it was refused or could not be asked.
    detail: String,
}

impl<'a> Line<'a> {
    fn of(thing: &'a str, wanted: &'a str, progress: &Progress) -> Line<'a> {
        let (result, detail) = match progress {
            Progress::Waits => ("waiting", String::new()),
            Progress::Same => ("same", String::new()),
            Progress::Cannot { why } => ("cannot", why.clone()),
            // As the audit log calls it.
            Progress::Asked { phase: Phase::Expired { .. }, never_obeyed: true, .. } => ("never-obeyed", String::new()),
            Progress::Asked { phase, .. } => result_of(phase),
        };
        let asked = match progress {
            Progress::Asked { command, at_ms, .. } => Some((command.0, rfc3339(*at_ms))),
            Progress::Waits | Progress::Same | Progress::Cannot { .. } => None,
        };
        let (command, time) = asked.unzip();
        Line { thing, wanted, result, command, time, detail }
    }

    fn fields(&self) -> [String; 6] {
        let command = self.command.map(|command| command.to_string()).unwrap_or_default();
        let time = self.time.clone().unwrap_or_default();
        let texts = [self.thing, self.wanted, self.result, &command, &time, &self.detail];
        texts.map(harmless)
    }
}

fn result_of(phase: &Phase) -> (&'static str, String) {
    match phase {
        Phase::Pending => ("pending", String::new()),
        Phase::Sent => ("sent", String::new()),
        Phase::Accepted { .. } => ("accepted", String::new()),
        Phase::Rejected { code, reason } => ("rejected", format!("{code}: {reason}")),
        Phase::Settled => ("settled", String::new()),
        Phase::Overtaken { by } => ("overtaken", format!("by command {}", by.0)),
        Phase::Expired { .. } => ("expired", String::new()),
        Phase::Cancelled { .. } => ("cancelled", String::new()),
    }
}

#[cfg(test)]
mod tests {
    use fleetlens_model::command::Withdrawal;
    use fleetlens_model::id::CommandId;
    use fleetlens_model::time::WallMs;

    use super::*;

    #[test]
    fn what_strangers_wrote_is_no_formula_in_a_sheet() {
        let progress = Progress::Cannot { why: "@SUM(1+1) is no lamp".into() };
        let fields = Line::of("=cmd|' /C calc'!A0", "/a = 1", &progress).fields();
        assert_eq!((fields[0].as_str(), fields[5].as_str()), ("'=cmd|' /C calc'!A0", "'@SUM(1+1) is no lamp"));
    }

    #[test]
    fn who_never_obeyed_is_not_called_expired() {
        for (never_obeyed, want) in [(false, "expired"), (true, "never-obeyed")] {
            let phase = Phase::Expired { withdrawal: Withdrawal::Done };
            let progress = Progress::Asked { command: CommandId(1), phase, at_ms: WallMs(7), never_obeyed };
            assert_eq!(Line::of("lamp-1", "/dim_pct = 40", &progress).result, want);
        }
    }
}
