//! `cargo xtask bench store`: how much room a sample takes on the disk and how many go there a second, with few series and with
//! many that arrive interleaved, beside plain SQLite tables in the same transactions.
//!
//! ```text
//! cargo xtask bench store --json -- --samples 20000000 --plain 2000000 --batch 10000 --many 40000
//! ```
//!
//! The plain tables hold series, both times and the value; the cache whatever it keeps of a sample. They are given fewer samples,
//! because they are slow; of neither the bytes a sample depend on how many there are.

use fleetlens_tests::bench::filling::{self, Filled};
use fleetlens_tests::bench::plain::Layout;
use fleetlens_tests::bench::{Arguments, Failure, Report, folder_on_a_disk};

/// Bytes a sample on the disk, and samples a second with everything that is put off.
const BYTES: f64 = 2.0;
const PER_S: f64 = 3e6;
/// How many series are few.
const FEW: u32 = 80;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::read(&["samples", "plain", "batch", "many"])?;
    let samples: u64 = arguments.number("samples", 20_000_000, 2_000_000)?;
    let plain: u64 = arguments.number("plain", 2_000_000, 200_000)?.min(samples);
    let batch: usize = arguments.number("batch", 10_000, 10_000)?;
    let many: u32 = arguments.number("many", 40_000, 40_000)?;

    let mut report = Report::new("store");
    report.setting("samples", samples);
    report.setting("samples_of_plain_tables", plain);
    report.setting("samples_a_transaction", batch);
    for (name, series) in [("few", FEW), ("many", many)] {
        // A folder each, so that what one left behind is off the disk before the next.
        let folder = folder_on_a_disk()?;
        let at = |file: &str| folder.path().join(file);
        let cache = filling::cache(&at("cache.db"), series, samples, batch).await?;
        let indexed = filling::plain(&at("indexed.db"), Layout::Indexed, series, plain, batch)?;
        let clustered = filling::plain(&at("clustered.db"), Layout::Clustered, series, plain, batch)?;
        report.setting(&format!("series_{name}"), series);
        for (what, filled) in [("cache", &cache), ("indexed", &indexed), ("clustered", &clustered)] {
            report.figure(&format!("{what}_{name}"), filled.as_json());
        }
        for (what, table) in [("indexed", &indexed), ("clustered", &clustered)] {
            let ratio = |of: fn(&Filled) -> f64| (of(&cache), of(table));
            let (ours, theirs) = ratio(Filled::bytes_per_sample);
            report.ratio(&format!("bytes_to_{what}_{name}"), ours, theirs);
            let (ours, theirs) = ratio(Filled::samples_per_s);
            report.ratio(&format!("samples_per_s_to_{what}_{name}"), ours, theirs);
        }
        report.at_most(&format!("bytes_per_sample_{name}"), cache.bytes_per_sample(), BYTES);
        report.at_least(&format!("samples_per_s_{name}"), cache.samples_per_s(), PER_S);
    }
    report.print(&arguments);
    Ok(())
}
