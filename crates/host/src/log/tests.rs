//! A log is a process's, so each of these is one of its own.

use std::fs;
use std::process::{Command, Output};

use super::*;

/// Set in the process that logs: what it does.
const DOES: &str = "FLEETLENS_TEST_LOGS";
/// And where.
const WHERE: &str = "FLEETLENS_TEST_FOLDER";

const PLANTED: &str = "hunter2-planted";

/// Not a test but the process of the others, when it is told what to do.
#[test]
fn child() {
    let Some(does) = std::env::var_os(DOES) else { return };
    start("warn");
    let folder = std::env::var_os(WHERE).map(PathBuf::from);
    if let Some(folder) = &folder {
        keep_in(folder);
    }
    match does.to_str() {
        Some("panic") => {
            let panicked = std::thread::spawn(|| panic!("said on purpose")).join();
            assert!(panicked.is_err());
        }
        Some("flood") => {
            for n in 0..120_000_u32 {
                tracing::info!(n, "{}", "x".repeat(200));
                // Slower than the disk, so that the end is there.
                if n % 1_000 == 0 {
                    flush();
                }
            }
            flush();
            println!("dropped {}", dropped());
        }
        Some("secrets") => {
            tracing::info!("mqtts://ada:{PLANTED}@broker.example:8883 and password = \"{PLANTED}\"");
            tracing::error!(token = PLANTED, "wss://x/mqtt?token={PLANTED}&x=1");
            tracing::warn!("-----BEGIN PRIVATE KEY-----\n{PLANTED}\n-----END PRIVATE KEY-----");
            flush();
        }
        _ => {
            tracing::info!("for the file");
            flush();
            println!("dropped {} at {:?}", dropped(), path());
        }
    }
}

fn child_that(does: &str, folder: Option<&Path>, level: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "log::tests::child", "--nocapture"]).env(DOES, does).env("RUST_LOG", level);
    child.env_remove("FLEETLENS_LOG");
    if let Some(folder) = folder {
        child.env(WHERE, folder);
    }
    let ran = child.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    ran
}

fn kept(folder: &Path) -> String {
    fs::read_to_string(folder.join("logs/fleetlens.log")).unwrap()
}

#[test]
fn a_panic_is_told_once_even_in_a_silenced_log_and_stands_in_the_file() {
    for level in ["warn", "off"] {
        let folder = tempfile::tempdir().unwrap();
        let ran = child_that("panic", Some(folder.path()), level);
        let told = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(told.matches("said on purpose").count(), 1, "RUST_LOG={level}: {told}");
        assert_eq!(kept(folder.path()).matches("said on purpose").count(), 1, "RUST_LOG={level}");
        let troubles = troubles(folder.path());
        assert!(troubles.iter().any(|line| line.contains("said on purpose")), "{troubles:?}");
    }
}

#[test]
fn what_is_written_takes_turns_and_never_more_than_its_room() {
    let folder = tempfile::tempdir().unwrap();
    let ran = child_that("flood", Some(folder.path()), "off");
    let mut bytes = 0;
    let mut files = 0;
    for entry in fs::read_dir(folder.path().join("logs")).unwrap() {
        let size = entry.unwrap().metadata().unwrap().len();
        assert!(size <= FILE_MAX_BYTES, "{size}");
        bytes += size;
        files += u32::from(size > 0);
    }
    // Some 30 MB were told.
    assert_eq!(files, FILES);
    assert!(bytes > FILE_MAX_BYTES * 4 && bytes <= FILE_MAX_BYTES * u64::from(FILES), "{bytes}");
    assert!(kept(folder.path()).contains("n=119999"), "the last line is there: {ran:?}");
    assert!(String::from_utf8_lossy(&ran.stdout).contains("dropped 0"), "{ran:?}");
}

#[test]
fn a_secret_that_comes_by_in_a_sentence_does_not_get_into_the_file() {
    let folder = tempfile::tempdir().unwrap();
    child_that("secrets", Some(folder.path()), "off");
    let text = kept(folder.path());
    assert!(text.contains("broker.example") && text.contains("ERROR"), "{text}");
    assert!(!text.contains(PLANTED), "{text}");
}

#[test]
fn a_folder_that_takes_nothing_costs_lines_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    // A file stands where the folder should be: this holds for root as well.
    fs::write(folder.path().join("logs"), "in the way").unwrap();
    let ran = child_that("nothing", Some(folder.path()), "warn");
    let (out, told) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    // The first line, ours, and the warning itself.
    assert!(out.contains("dropped ") && !out.contains("dropped 0") && out.contains("at None"), "{out}");
    assert_eq!(told.matches("no log is kept in").count(), 1, "{told}");
}

#[test]
fn two_programs_in_one_folder_have_a_file_each() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    let right = fs::File::create(folder.path().join("logs/fleetlens.log.lock")).unwrap();
    right.lock().unwrap();
    child_that("nothing", Some(folder.path()), "off");
    assert!(!folder.path().join("logs/fleetlens.log").exists());
    assert!(fs::read_to_string(folder.path().join("logs/fleetlens-2.log")).unwrap().contains("for the file"));
}

/// A disk on which every write fails as on a full one.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_costs_lines_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("logs")).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("logs/fleetlens.log")).unwrap();
    let ran = child_that("nothing", Some(folder.path()), "off");
    let out = String::from_utf8_lossy(&ran.stdout);
    assert!(out.contains("dropped ") && !out.contains("dropped 0") && out.contains("at None"), "{out}");
}
