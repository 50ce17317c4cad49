//! A rejected and an expired command are told apart, on a broker with a real shadow service and one lamp that obeys nothing.

use fleetlens_sim::{BrokerAt, ShadowService, shadows::Shadows};
use fleetlens_tests::broker::Mosquitto;
use fleetlens_tests::lamp::Lamp;
use fleetlens_tests::profile::ProfileText;

use super::both::{refusals, told};
use super::{alone, open, screen};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_and_an_expired_command_are_told_apart() {
    let _alone = alone().await;
    let Some(broker) = Mosquitto::start("window-refusals") else { return };
    let Some(display) = screen("window-refusals") else { return };
    let mut service =
        ShadowService::start(&BrokerAt { url: broker.url(), credentials: None }, Shadows::default()).unwrap();
    service.ready().await;
    let mut lamp = Lamp::start(&broker.url(), "lamp-0042").await;
    let data = tempfile::tempdir().unwrap();
    let text = ProfileText { expiry_s: vec![("/dim_pct", 4)], ..ProfileText::new("Refusals", broker.url()) };
    let profile = text.write(data.path());
    let arguments = ["--profile", profile.to_str().unwrap(), "--theme", "dark"];
    let Some(window) = open("window-refusals", &display, data.path(), &arguments).await else { return };
    window.open_thing("lamp-0042").await;
    lamp.measure_now().await;
    window.wait_for_leaf("/dim_pct", |_, reported| reported == "100").await;

    let dim = async |pct| window.dim(pct).await;
    refusals::are_told_apart(&window, &mut lamp, dim, ["expired-1440", "rejected-1440"]).await;
    told("a command that is not obeyed expires and is taken back; a refused one gives its reason; they look different");
    window.close().await;
    service.stop().await;
}
