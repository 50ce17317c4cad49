//! `fleetlens`: the parts of Fleetlens that need no window. Each verb is a module.

mod audit;
mod bulk;
mod cache;
mod collect;
mod doctor;
mod export;
mod moment;
mod password;
mod profile;
mod propose;
mod query;
mod record;
mod recording;
mod replay;
mod report;
mod rule;
mod serve;
mod signal;
mod sim;
mod tally;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fleetlens_host::log;

#[global_allocator]
static HEAP: fleetlens_host::Heap = fleetlens_host::HEAP;

/// Watch and steer connected things over MQTT.
#[derive(Parser)]
#[command(name = "fleetlens", version, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the demo city: an MQTT broker, device shadows, and Malta's car parks and street lamps.
    Sim(sim::Sim),
    /// Serve the window to browsers on this computer, with a token in the address it prints.
    Serve(Box<serve::Serve>),
    /// Listen without a window, store what comes, and print at the end what it was.
    Collect(collect::Collect),
    /// Record every message a broker delivers for a profile's topics into a file.
    Record(record::Record),
    /// Publish a recording again, in its order and pace.
    Replay(replay::Replay),
    /// Listen to a broker and print a profile that would read what it says.
    Propose(propose::Propose),
    /// Keep a broker's password in this system's keychain, or take it out again.
    Password(password::Password),
    /// Look at profiles, cache, disk, clock and broker, and say what to mend.
    Doctor(doctor::Doctor),
    /// Print the latest values of a cache.
    Query(query::Query),
    /// Write the measured values of a cache as CSV or JSON Lines.
    Export(export::Export),
    /// Write what happened to alarms over a span of time, and who did what, as one page of HTML.
    Report(report::Report),
    /// Try a rule of a profile on what a cache holds: when it would have raised alarms.
    Rule(rule::RuleVerb),
    /// List the bulk commands of a cache, or write out what came of each thing of one.
    Bulk(bulk::Bulk),
    /// Look whether the audit log of a cache is as it was written, or write it out.
    Audit(audit::Audit),
}

#[tokio::main]
async fn main() -> ExitCode {
    // The embedded broker tells a lot at `info`; RUST_LOG=info shows it.
    log::start("warn,mqtt5=error");
    let done = match Arguments::parse().verb {
        Verb::Sim(sim) => sim.run().await,
        Verb::Serve(serve) => serve.run().await,
        Verb::Collect(collect) => collect.run().await,
        Verb::Record(record) => record.run().await,
        Verb::Replay(replay) => replay.run().await,
        Verb::Propose(propose) => propose.run().await,
        Verb::Password(password) => password.run().await,
        Verb::Doctor(doctor) => return ended(doctor.run().await),
        Verb::Query(query) => query.run(),
        Verb::Export(export) => export.run(),
        Verb::Report(report) => report.run(),
        Verb::Rule(rule) => rule.run(),
        Verb::Bulk(bulk) => bulk.run(),
        Verb::Audit(audit) => return ended(audit.run()),
    };
    ended(done.map(|()| ExitCode::SUCCESS))
}

/// Says why it failed, if it did.
fn ended(done: anyhow::Result<ExitCode>) -> ExitCode {
    log::flush();
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("fleetlens: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
