//! `cargo xtask bench --plot`: draws how figures grow, out of results that were kept, into docs/performance.
//!
//! A result is kept by appending what a benchmark prints to the file of its name, a line a run:
//!
//! ```text
//! cargo xtask bench latency --json -- --per-s 2000 >> docs/performance/latency.jsonl
//! ```
//!
//! Of runs with the same setting the last one counts, and none that was `--quick`. A picture for which there are fewer than two runs
//! is not drawn and an old one not left behind, because it would show another program.

use std::collections::BTreeMap;
use std::path::Path;

use fleetlens_chart::{Axis, Growth, Line, SVG_TEXT, Scale, Theme, draw_growth};
use fleetlens_tests::bench::Failure;
use fleetlens_tests::place;
use plotters::drawing::IntoDrawingArea;
use plotters::prelude::SVGBackend;
use serde_json::Value;

/// Size of a picture, in CSS pixels.
const SIZE: (u32, u32) = (720, 300);

/// What is drawn of one result: where its value of the first axis is, and of the second.
struct Traced {
    name: &'static str,
    /// JSON pointers into a result; of a benchmark that measures two sizes at once there are two.
    points: &'static [(&'static str, &'static str)],
    baseline: bool,
}

struct Picture {
    file: &'static str,
    benchmark: &'static str,
    x: Axis<'static>,
    y: Axis<'static>,
    goal: Option<(f64, &'static str)>,
    lines: &'static [Traced],
}

const THINGS: Axis = Axis { label: "things", scale: Scale::Logarithmic };
const RATE: Axis = Axis { label: "messages a second", scale: Scale::Linear };
const AGE: Axis = Axis { label: "days in the cache", scale: Scale::Linear };

const PICTURES: [Picture; 4] = [
    Picture {
        file: "memory-by-things.svg",
        benchmark: "memory",
        x: THINGS,
        y: Axis { label: "resident, MB", scale: Scale::Logarithmic },
        goal: None,
        lines: &[
            Traced {
                name: "steady",
                points: &[
                    ("/setting/things_few", "/figures/few/steady_mb"),
                    ("/setting/things_many", "/figures/many/steady_mb"),
                ],
                baseline: false,
            },
            Traced {
                name: "the goal",
                points: &[
                    ("/setting/things_few", "/goals/steady_mb_few/at_most"),
                    ("/setting/things_many", "/goals/steady_mb_many/at_most"),
                ],
                baseline: true,
            },
        ],
    },
    Picture {
        file: "startup-by-things.svg",
        benchmark: "startup",
        x: THINGS,
        y: Axis { label: "exec to the first picture, ms", scale: Scale::Logarithmic },
        goal: Some((400.0, "400 ms")),
        lines: &[
            Traced { name: "warm", points: &[("/setting/things", "/figures/warm_ms/median")], baseline: false },
            Traced { name: "cold", points: &[("/setting/things", "/figures/cold_ms/median")], baseline: false },
            Traced {
                name: "plain tables read",
                points: &[("/setting/things", "/figures/plain_walk_ms/median")],
                baseline: true,
            },
        ],
    },
    Picture {
        file: "latency-by-rate.svg",
        benchmark: "latency",
        x: RATE,
        y: Axis { label: "99 of 100 messages within, ms", scale: Scale::Logarithmic },
        goal: Some((120.0, "stored within 120 ms")),
        lines: &[
            Traced {
                name: "stored, QoS 0",
                points: &[("/setting/per_s", "/figures/app_qos0/stored/p99_ms")],
                baseline: false,
            },
            Traced {
                name: "stored, QoS 1",
                points: &[("/setting/per_s", "/figures/app_qos1/stored/p99_ms")],
                baseline: false,
            },
            Traced {
                name: "shown, QoS 1",
                points: &[("/setting/per_s", "/figures/app_qos1/shown/p99_ms")],
                baseline: false,
            },
            Traced {
                name: "link alone, QoS 1",
                points: &[("/setting/per_s", "/figures/link_alone_qos1/received/p99_ms")],
                baseline: true,
            },
        ],
    },
    Picture {
        file: "query-by-age.svg",
        benchmark: "query",
        x: AGE,
        y: Axis { label: "median, ms", scale: Scale::Logarithmic },
        goal: None,
        lines: &[
            Traced {
                name: "a day, cold",
                points: &[("/setting/days", "/figures/cache_day/cold/median_ms")],
                baseline: false,
            },
            Traced {
                name: "a day, warm",
                points: &[("/setting/days", "/figures/cache_day/warm/median_ms")],
                baseline: false,
            },
            Traced {
                name: "all of it, warm",
                points: &[("/setting/days", "/figures/cache_month/warm/median_ms")],
                baseline: false,
            },
            Traced {
                name: "plain, all, warm",
                points: &[("/setting/days", "/figures/clustered_month/warm/median_ms")],
                baseline: true,
            },
        ],
    },
];

fn main() -> Result<(), Failure> {
    let folder = place::root().join("docs/performance");
    std::fs::create_dir_all(&folder)?;
    for picture in &PICTURES {
        let kept = kept(&folder.join(format!("{}.jsonl", picture.benchmark)))?;
        let points: Vec<Vec<(f64, f64)>> = picture.lines.iter().map(|line| points(&kept, line)).collect();
        let file = folder.join(picture.file);
        if points.iter().all(|points| points.len() < 2) {
            if file.exists() {
                std::fs::remove_file(&file)?;
            }
            println!("{}: fewer than two results of {:?}", picture.file, picture.benchmark);
            continue;
        }
        let lines = picture.lines.iter().zip(&points);
        let lines: Vec<Line> =
            lines.map(|(line, points)| Line { name: line.name, points, baseline: line.baseline }).collect();
        std::fs::write(&file, drawn(picture, &lines)?)?;
        println!("{}: {} results", picture.file, kept.len());
    }
    Ok(())
}

/// The results of a file, by their setting; no file is no result.
fn kept(file: &Path) -> Result<Vec<Value>, Failure> {
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(Vec::new()) };
    let mut kept = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let result: Value = serde_json::from_str(line)
            .map_err(|error| format!("{}:{}: no result of a benchmark: {error}", file.display(), number + 1))?;
        if result.pointer("/setting/quick") == Some(&Value::Bool(false)) {
            let setting: Option<BTreeMap<String, Value>> =
                result.get("setting").and_then(|setting| serde_json::from_value(setting.clone()).ok());
            kept.insert(format!("{setting:?}"), result);
        }
    }
    Ok(kept.into_values().collect())
}

/// What a line shows, in the order of the first axis; of two results at one place the later one.
fn points(kept: &[Value], line: &Traced) -> Vec<(f64, f64)> {
    let mut in_time: Vec<&Value> = kept.iter().collect();
    in_time.sort_by_key(|result| result.get("at_s").and_then(Value::as_u64));
    let mut found: Vec<(f64, f64)> = Vec::new();
    for result in in_time {
        for (x, y) in line.points {
            let at = |pointer| result.pointer(pointer).and_then(Value::as_f64);
            if let (Some(x), Some(y)) = (at(x), at(y)) {
                found.retain(|point| point.0 != x);
                found.push((x, y));
            }
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found
}

fn drawn(picture: &Picture, lines: &[Line]) -> Result<String, Failure> {
    let growth = Growth {
        x: picture.x,
        y: picture.y,
        lines,
        goal: picture.goal,
        theme: Theme::LIGHT,
        scale: 1.0,
        text: SVG_TEXT,
        font: "Inter, sans-serif",
    };
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        draw_growth(&growth, &root)?;
    }
    Ok(text)
}
