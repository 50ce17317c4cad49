//! What a person takes out, as a window asks for it.

use fleetlens_ipc::{Export, Exported};
use fleetlens_model::id::BulkId;

use super::*;
use crate::ports::wall_now;
use crate::sheet::{Format, Sheet, audit as rows};

fn audit() -> Intent {
    Intent::Export(Export::Audit(Filter::default()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_a_new_file_of_this_machine_or_a_text_for_a_window_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    // A refusal is an entry of the log, and the words of it go into the sheet.
    window.ask(1, Intent::CancelCommand { command: CommandId(99) }).await.unwrap_err();
    let mut paths = Vec::new();
    for number in [2, 3] {
        let Ok(Done::Exported(Exported::File { path, unread: 0 })) = window.ask(number, audit()).await else {
            panic!("no file")
        };
        paths.push(path);
    }
    assert_ne!(paths[0], paths[1], "nothing is written over");
    let texts = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect::<Vec<_>>();
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0].lines().nth(1).is_some_and(|line| line.contains("refused")), "{texts:?}");
    let missing = window.ask(4, Intent::Export(Export::Bulk(BulkId(7)))).await.unwrap_err();
    assert_eq!(missing.code, FaultCode::NotFound);
    assert_eq!(std::fs::read_dir(folder.path().join("exports")).unwrap().count(), 2, "no half file is left");
    host.stop().await;

    let host = started(HostOptions { served: true, ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    let Ok(Done::Exported(Exported::Text { name, text, unread: 0 })) = window.ask(1, audit()).await else {
        panic!("no text")
    };
    assert!(name.starts_with("fleetlens-audit-") && name.ends_with(".csv"), "{name}");
    assert_eq!(text, texts[0]);
    host.stop().await;

    // Where the folder should be there is a file.
    let blocked = folder.path().join("blocked");
    std::fs::write(&blocked, "").unwrap();
    let host = started(HostOptions { downloads: blocked, ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    let fault = window.ask(1, audit()).await.unwrap_err();
    assert!(fault.code == FaultCode::Store && fault.message.contains("blocked cannot be written"), "{fault}");
    host.stop().await;

    let host = started(HostOptions { role: Some(Role::Driver), ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    assert_eq!(window.ask(1, audit()).await.unwrap_err().code, FaultCode::Forbidden);
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_a_page_of_its_own_and_a_time_that_makes_no_sense_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let (now, hour) = (wall_now(), 3_600_000);
    let report = |from: i64, to: i64, zone: &str| {
        let (from_ms, to_ms) = (now.plus(from * hour), now.plus(to * hour));
        Intent::Export(Export::Report { from_ms, to_ms, zone: zone.to_owned() })
    };
    let Ok(Done::Exported(Exported::File { path, unread: 0 })) = window.ask(1, report(-8, 1, "Europe/Malta")).await
    else {
        panic!("no file")
    };
    assert!(path.ends_with(".html") && path.contains("fleetlens-report-"), "{path}");
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("Europe/Malta (UTC+"), "{page}");
    for (number, intent, why) in [
        (2, report(1, 2, ""), "still to come"),
        (3, report(-1, -2, ""), "the end must lie after the beginning"),
        (4, report(-2, -1, "Europe/Nowhere"), "\"Europe/Nowhere\" is no time zone"),
        (5, report(-2, -1, &"x".repeat(65)), "so long a name"),
    ] {
        let fault = window.ask(number, intent).await.unwrap_err();
        assert!(fault.code == FaultCode::Invalid && fault.message.contains(why), "{fault}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("exports")).unwrap().count(), 1, "no half file is left");
    host.stop().await;

    let host = started(HostOptions { served: true, ..without_broker(&folder) }).await;
    let mut window = TestWindow::open(&host).await;
    let Ok(Done::Exported(Exported::Text { name, text, .. })) = window.ask(1, report(-8, 0, "UTC")).await else {
        panic!("no text")
    };
    assert!(name.ends_with(".html") && text.starts_with("<!DOCTYPE html>"), "{name}");
    host.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_a_sheet_of_its_buckets_and_a_picture_is_only_what_is_one() {
    use fleetlens_ipc::{ChartColumn, Picture};
    use fleetlens_model::id::SeriesKey;
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    let now = wall_now();
    let chart = |values: usize, span_ms: i64, bucket_ms: u64| {
        let column = ChartColumn { series: SeriesKey(1), earlier_ms: 0, heading: "Power, W".into() };
        let columns = vec![column; values];
        Intent::Export(Export::Chart { columns, from_ms: now.plus(-span_ms), until_ms: now, bucket_ms })
    };
    let Ok(Done::Exported(Exported::File { path, unread: 0 })) = window.ask(1, chart(1, 900_000, 5_000)).await else {
        panic!("no file")
    };
    assert!(path.contains("fleetlens-chart-") && path.ends_with(".csv"), "{path}");
    let head = "time,\"Power, W min\",\"Power, W mean\",\"Power, W max\",\"Power, W count\"\r\n";
    assert_eq!(std::fs::read_to_string(&path).unwrap(), head, "nothing is known of this series");
    let picture = |picture, bytes: &[u8]| Intent::Export(Export::Picture { picture, bytes: bytes.to_vec() });
    let drawn = b"<svg width=\"1\"></svg>";
    let Ok(Done::Exported(Exported::File { path, .. })) = window.ask(2, picture(Picture::Svg, drawn)).await else {
        panic!("no file")
    };
    assert_eq!(std::fs::read(&path).unwrap(), drawn);
    for (number, intent) in [
        (3, picture(Picture::Png, drawn)),
        (4, picture(Picture::Svg, b"#!/bin/sh")),
        (5, chart(0, 900_000, 5_000)),
        (6, chart(9, 900_000, 5_000)),
        (7, chart(1, 86_400_000, 1)),
        (8, chart(1, 0, 1_000)),
    ] {
        assert_eq!(window.ask(number, intent).await.unwrap_err().code, FaultCode::Invalid, "{number}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("exports")).unwrap().count(), 2, "no half file is left");
    host.stop().await;
}

#[test]
fn a_window_has_everything_else_while_its_sheet_is_written_and_a_second_one_is_told_so() {
    // One thread for blocking work, which is taken until the sheet may be written.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(2).max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let host = started(without_broker(&folder)).await;
        let mut window = TestWindow::open(&host).await;
        let (go_on, gone_on) = std::sync::mpsc::channel::<()>();
        let taken = tokio::task::spawn_blocking(move || gone_on.recv());
        let began = window.say(Call::Ask { request: RequestId(1), intent: audit() });
        timeout(HANGS, began).await.expect("the call returns before the sheet is written");
        let second = window.ask(2, audit()).await.unwrap_err();
        assert!(second.message.contains("another file is being saved"), "{second}");
        window.until("everything else", |w| w.status.is_some() && w.settings.is_some()).await;
        go_on.send(()).unwrap();
        taken.await.unwrap().unwrap();
        window.until("the sheet", |w| w.answers.contains_key(&RequestId(1))).await;
        assert!(matches!(window.answers[&RequestId(1)], Ok(Done::Exported(_))), "{:?}", window.answers);
        assert!(window.ask(3, audit()).await.is_ok(), "and another one after it");
        host.stop().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_of_which_nothing_passes_ends_with_the_program_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    window.ask(1, Intent::CancelCommand { command: CommandId(99) }).await.unwrap_err();
    let reading = host.run.read().await.as_ref().unwrap().store().reading().unwrap();
    let nothing = Filter { text: Some("no such word".into()), ..Filter::default() };
    let mut sheet = Sheet::begin(Format::Csv, Box::new(std::io::sink()), rows::fields()).unwrap();
    let closing = || Err(std::io::Error::other("closing"));
    let told = rows::write_while(&reading, &nothing, None, &mut sheet, closing).unwrap();
    assert_eq!(told.written.unwrap_err().to_string(), "closing");
    host.stop().await;
    assert!(reading.is_closed(), "and with its cache");
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_read_are_told_with_the_sheet_that_lacks_them() {
    let folder = tempfile::tempdir().unwrap();
    let host = started(without_broker(&folder)).await;
    let mut window = TestWindow::open(&host).await;
    for number in [1, 2] {
        window.ask(number, Intent::CancelCommand { command: CommandId(99) }).await.unwrap_err();
    }
    host.stop().await;
    // The word of what happened, in the row of one of them as it lies there, not far behind the role.
    let cache = folder.path().join("demo.db");
    let mut bytes = std::fs::read(&cache).unwrap();
    let role = Profile::demo().unwrap().who.role.word().as_bytes();
    let is_row = |at: &usize| {
        let before = &bytes[at.saturating_sub(role.len() + 12)..*at];
        bytes[*at..].starts_with(b"refused") && before.windows(role.len()).any(|part| part == role)
    };
    let at = (0..bytes.len()).rev().find(is_row).expect("a row");
    bytes[at..at + 7].copy_from_slice(b"refuseX");
    std::fs::write(&cache, bytes).unwrap();
    for served in [false, true] {
        let host = started(HostOptions { served, ..without_broker(&folder) }).await;
        let mut window = TestWindow::open(&host).await;
        let Ok(Done::Exported(exported)) = window.ask(1, audit()).await else { panic!("no sheet") };
        let (Exported::File { unread, .. } | Exported::Text { unread, .. }) = exported;
        assert_eq!(unread, 1);
        host.stop().await;
    }
}
