//! The phone app in a window of a phone's size, for everybody without a phone at hand.

fn main() -> std::process::ExitCode {
    fleetlens_mobile::run()
}
