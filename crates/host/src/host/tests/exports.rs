//! What a person takes out, as a window asks for it.

use fleetlens_ipc::{Export, Exported};
use fleetlens_model::id::BulkId;

use super::*;

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
        let Ok(Done::Exported(Exported::File(path))) = window.ask(number, audit()).await else { panic!("no file") };
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
    let Ok(Done::Exported(Exported::Text { name, text })) = window.ask(1, audit()).await else { panic!("no text") };
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
