//! An edge node of Sparkplug B with a pump behind it.

use fleetlens_ipc::Look;
use fleetlens_model::freshness::Freshness;
use fleetlens_model::telemetry::Value;
use fleetlens_model::time::WallMs;
use fleetlens_tests::lamp::now_ms;
use fleetlens_wire::convention::Outgoing;
use fleetlens_wire::sparkplug::Datatype;
use fleetlens_wire::sparkplug::edge::{Carried, EdgeNode, Metric, commands};

use super::SOON;
use super::square::{Square, offered};

/// By which the pump's switch is known after its birth.
const SWITCH: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_node_is_asked_for_its_birth_and_its_device_is_steered_by_aliases() {
    let convention =
        "[[convention]]\nname = \"sparkplug\"\nrebirth = true\nwritable = [\"Outputs/\"]\nhost = \"scada\"\n";
    let heard = ["spBv1.0/+/NCMD/+", "spBv1.0/+/DCMD/+/+"];
    let Some(mut square) = Square::start("sparkplug", convention, &heard).await else { return };
    let mut node = EdgeNode::new("Water", "station-1", 4);
    let now = || WallMs(now_ms());
    let say = async |square: &Square, message: Outgoing| square.devices.publish(&message.topic, message.payload).await;
    // We join late: its birth was before us, and is no message that a broker keeps.
    node.birth(&[], now());
    let unborn = node.data(&[Metric::by_alias(1, Carried::Float(1.5))], now());
    say(&square, unborn).await;
    let asked = commands(&square.heard("spBv1.0/Water/NCMD/station-1").await).unwrap();
    assert_eq!(asked[0].name.as_deref(), Some("Node Control/Rebirth"));
    assert_eq!(asked[0].value, Some(Carried::Boolean(true)));

    let pressure = Metric::new("Pressure", Datatype::Float, Carried::Float(4.5)).aliased(1);
    let birth = node.birth(&[pressure], now());
    say(&square, birth).await;
    let metrics = [
        Metric::new("Flow", Datatype::Int32, Carried::Int(12)).aliased(2),
        Metric::new("Outputs/Run", Datatype::Boolean, Carried::Boolean(false)).aliased(SWITCH),
    ];
    let birth = node.device_birth("pump", &metrics, now());
    say(&square, birth).await;
    let station = square.page("Water/station-1", "/Pressure", &Value::Number(4.5)).await;
    let page = square.page("Water/station-1/pump", "/Flow", &Value::Number(12.0)).await;
    square.says(page, "/Outputs/Run", &Value::Flag(false)).await;
    assert_eq!(square.desk.page(page).head.gateway, "Water/station-1");
    assert_eq!(offered(&square.desk, page), ["/Outputs/Run"]);
    assert!(offered(&square.desk, station).is_empty(), "nobody said that anything of it may be set");

    let run = square.send(page, "/Outputs/Run", "true").await;
    let told = commands(&square.heard("spBv1.0/Water/DCMD/station-1/pump").await).unwrap();
    assert_eq!((told.len(), told[0].value.clone()), (1, Some(Carried::Boolean(true))));
    let obeyed = node.device_data("pump", &[Metric::by_alias(SWITCH, Carried::Boolean(true))], now());
    say(&square, obeyed).await;
    square.settles(page, run).await;

    // The node's last will speaks for everything behind it.
    say(&square, node.death(now())).await;
    square.is(page, |freshness| matches!(freshness, Freshness::Silent { .. })).await;
    square.is(station, |freshness| matches!(freshness, Freshness::Silent { .. })).await;

    let state = format!(r#"{{"online":true,"timestamp":{}}}"#, now_ms());
    square.devices.publish_retained("spBv1.0/STATE/scada", state).await;
    let host = square.page("spBv1.0/STATE/scada", "/online", &Value::Flag(true)).await;
    square.is(host, |freshness| freshness == Freshness::Live).await;

    // What cannot be read is refused with its reason and harms nobody.
    square.devices.publish("spBv1.0/Water/NDATA/station-1", "no protobuf").await;
    let status = square.desk.look(Look::Status).await;
    square
        .desk
        .wait_for("the refusals to be counted", SOON, |desk| match desk.status(status).refused {
            2.. => Ok(()),
            few => Err(format!("{few}")),
        })
        .await;
    // A quiet node that was known is asked for its birth after a restart too.
    square.devices.forget();
    let square = square.start_again().await;
    square.heard("spBv1.0/Water/NCMD/station-1").await;
    square.end().await;
}
