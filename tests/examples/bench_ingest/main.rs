//! `cargo xtask bench ingest`: from Mosquitto onto the disk, at QoS 1, through the whole app without a window.
//!
//! Two measurements: how fast a backlog is drained, beside the simplest program that keeps the same promise; and whether a city of
//! 10 000 things that says 5 000 messages a second is all on the disk after a minute, with the configuration of Mosquitto that
//! Fleetlens ships and, beside it, with Mosquitto's own. With `--json` one object is printed, without it sentences.

mod backlog;
mod city;

use std::time::Duration;

use serde_json::json;

/// A broken run ends here.
const WITHIN: Duration = Duration::from_secs(300);

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let as_json = std::env::args().any(|argument| argument == "--json");
    let rates = backlog::measure().await?;
    let ratio = rates.fleetlens / rates.baseline;
    let shipped = city::measure(city::Config::Shipped).await?;
    let plain = city::measure(city::Config::MosquittosOwn).await?;
    if as_json {
        println!(
            "{}",
            json!({
                "name": "ingest",
                "guarantee": "QoS 1, on disk before acknowledged",
                "backlog": {
                    "unit": "messages/s", "fleetlens": rates.fleetlens.round(), "baseline": rates.baseline.round(), "ratio": ratio,
                    "messages": backlog::MESSAGES, "values_per_message": 3,
                },
                "city": shipped.as_json(),
                "city_with_mosquittos_own_configuration": plain.as_json(),
            })
        );
    } else {
        println!("a backlog, Fleetlens:  {:.0} messages/s, on disk before acknowledged", rates.fleetlens);
        println!("a backlog, one by one: {:.0} messages/s, with the same promise", rates.baseline);
        println!("ratio:                 {ratio:.1}");
        println!("a city: {shipped}");
        println!("a city, with Mosquitto's own configuration: {plain}");
    }
    Ok(())
}
