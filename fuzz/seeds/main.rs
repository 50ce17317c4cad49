//! Writes the first cases of every target into `corpus`: what our documents and tests show of each format, and the samples of
//! other projects that lie beside the checkout. `cargo run --bin seeds -- FOLDER…`, where every file of the folders is tried by
//! everything that reads JSON.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use fleetlens_fuzzed::{COUNT, Message, NAMES, NOW, written};
use fleetlens_wire::sparkplug::Datatype;
use fleetlens_wire::sparkplug::edge::{Carried, EdgeNode, Metric};

/// The longest sample that is worth keeping.
const SAMPLE_MAX_BYTES: usize = 4_096;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let keep = |target: &str, bytes: &[u8]| {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        let folder = corpus.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(format!("{:016x}", hasher.finish())), bytes)
    };
    for (name, payload) in PAYLOADS {
        let number = NAMES.iter().position(|known| *known == name).expect("a reading's name") as u8;
        for target in ["telemetry", "rebase"] {
            keep(target, &[&[number], payload.as_bytes()].concat())?;
        }
    }
    for (target, cases) in [
        ("meta", META),
        ("shadow", SHADOW),
        ("aws", AWS),
        ("template", TEMPLATES),
        ("pointer", POINTERS),
        ("time", TIMES),
        ("expression", EXPRESSIONS),
        ("board", BOARDS),
        ("query", QUERIES),
        ("detector", DETECTORS),
    ] {
        for case in cases {
            keep(target, case.as_bytes())?;
        }
    }
    for file in REGISTRIES {
        keep("registry", &[&[u8::from(file.starts_with('{'))], file.as_bytes()].concat())?;
    }
    for (target, messages) in
        [("homie", &HOMIE[..]), ("home_assistant", &HOME_ASSISTANT), ("zigbee2mqtt", &ZIGBEE2MQTT)]
    {
        keep(target, &written(messages))?;
    }
    sparkplug().iter().try_for_each(|conversation| keep("sparkplug", conversation))?;

    for folder in env::args().skip(1) {
        for sample in samples(Path::new(&folder))? {
            for number in 0..COUNT {
                keep("telemetry", &[&[number], &sample[..]].concat())?;
            }
            keep("rebase", &[&[6], &sample[..]].concat())?;
            keep("shadow", &[b"$aws/things/a/shadow/update/documents\n", &sample[..]].concat())?;
            keep("meta", &sample)?;
        }
    }
    Ok(())
}

/// Every short file below a folder.
fn samples(folder: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "json") {
                found.extend(Some(fs::read(path)?).filter(|bytes| bytes.len() <= SAMPLE_MAX_BYTES));
            }
        }
    }
    Ok(found)
}

const PAYLOADS: [(&str, &str); 17] = [
    ("plain", r#"{"ts":1700000000.5,"power_w":61.8,"door":{"open":false},"list":[1,"a",null]}"#),
    ("thingsboard", r#"{"ts":1451649600512,"values":{"key1":"value1","key2":2}}"#),
    ("thingsboard", r#"[{"ts":"2026-11-21T08:00:00+01:00","values":{"a/b~c":1e-7}},{"values":{}}]"#),
    ("list", r#"{"data":[{"id":7,"when":"2023-03-01 00:08:30","libres":-1,"capacidad":120,"nombre":"Aparcamiento"}]}"#),
    (
        "envelope",
        r#"{"VP":{"spd":0.00,"tst":"2024-02-13T16:32:59.931Z","tsi":1707841979,"lat":60.1,"long":24.9,"hdg":null}}"#,
    ),
    ("senml", r#"[{"bn":"urn:dev:ow:1:","bt":1.7e9,"n":"temp","u":"Cel","v":23.1},{"n":"on","vb":true,"t":-5}]"#),
    (
        "senml-by-name",
        r#"[{"bn":"urn:dev:mac:a/","bver":10,"n":"gps","u":"lat","v":35.9},{"n":"gps","u":"lon","v":14.5,"s":7}]"#,
    ),
    (
        "fiware",
        r#"{"id":"urn:ngsi-ld:OffStreetParking:p1","type":"OffStreetParking","availableSpotNumber":3,"totalSpotNumber":10,"observationDateTime":"2024-01-01T00:00:02Z","location":{"type":"Point","coordinates":[-4.4,36.7]}}"#,
    ),
    (
        "fiware-by-name",
        r#"[{"id":"s","type":"ParkingSpot","status":{"type":"Text","value":"free","metadata":{"timestamp":{"type":"DateTime","value":"2024-01-01T00:00:01Z"}}}}]"#,
    ),
    (
        "fiware-by-name",
        r#"{"id":"w","type":"WasteContainer","fillingLevel":{"type":"Property","value":0.4,"observedAt":"2024-01-01T00:00:00Z","unitCode":"C62"}}"#,
    ),
    (
        "parkapi",
        r#"{"uid":"p1","name":"Parkhaus","type":"CAR_PARK","realtime_free_capacity":7,"realtime_capacity":9,"capacity":"9","lat":"48.1","lon":9.2,"realtime_data_updated_at":"2026-10-05T04:45:00Z"}"#,
    ),
    ("parkapi", r#"{"items":[{"id":7,"realtime_status":"AVAILABLE"},{"id":8,"realtime_status":"TAKEN"}]}"#),
    (
        "datex2",
        r#"<?xml version="1.0"?><d2LogicalModel><payloadPublication><publicationTime>2026-10-05T04:45:00+02:00</publicationTime><genericPublicationExtension><parkingStatusPublication><parkingRecordStatus><parkingRecordReference id="G"/><parkingOccupancy><parkingNumberOfVacantSpaces> 3 </parkingNumberOfVacantSpaces></parkingOccupancy><parkingSiteStatus>full</parkingSiteStatus></parkingRecordStatus></parkingStatusPublication></genericPublicationExtension></payloadPublication></d2LogicalModel>"#,
    ),
    (
        "datex2",
        r#"<d2:payload xmlns:d2="d" xmlns:par="p" xmlns:xsi="x" xsi:type="par:ParkingTablePublication"><par:parkingTable id="T"><par:parkingRecord id="P1"><par:parkingName><c:values><c:value lang="de">Mitte &amp; Dom</c:value></c:values></par:parkingName><par:parkingNumberOfSpaces>500</par:parkingNumberOfSpaces></par:parkingRecord></par:parkingTable></d2:payload>"#,
    ),
    (
        "datex2-by-topic",
        r#"<p:payload xmlns:p="d" xmlns:par="p" xmlns:xsi="x" xsi:type="par:ParkingStatusPublication"><par:parkingRecordStatus><par:parkingRecordReference id="a"/><par:parkingOccupancy><par:parkingNumberOfVacantSpaces>4</par:parkingNumberOfVacantSpaces></par:parkingOccupancy></par:parkingRecordStatus></p:payload>"#,
    ),
    ("scalar", "23.5"),
    ("scalar", "\"open\""),
];

const META: &[&str] = &[
    "",
    r#"{"kind":"lamp","name":"Lamp 1","lat":35.9,"lon":14.5,"street":"Triq","interval_s":0,"units":{"power_w":"W"},"synthetic":["name"]}"#,
    r#"{"kind":"parking","capacity":120,"capacity_accessible":4,"capacity_charging":2,"gateway":"g-1","area":"valletta"}"#,
];

/// Topics and payloads of AWS's services beside shadows.
const AWS: &[&str] = &[
    "$aws/events/presence/disconnected/lamp-1\n{\"clientId\":\"lamp-1\",\"thingName\":\"lamp-1\",\"timestamp\":1573002340451,\"eventType\":\"disconnected\",\"disconnectReason\":\"CONNECTION_LOST\",\"versionNumber\":3}",
    "$aws/events/job/j-1/completed\n{\"eventType\":\"JOB\",\"timestamp\":\"1517016948\",\"jobId\":\"j-1\",\"jobProcessDetails\":{\"numberOfSucceededThings\":3}}",
    "$aws/events/jobExecution/j-1/failed\n{\"eventType\":\"JOB_EXECUTION\",\"timestamp\":1517016948,\"jobId\":\"j-1\",\"thingArn\":\"arn:aws:iot:r:1:thing/lamp-1\",\"statusDetails\":{\"step\":\"flash\"}}",
    "$aws/things/lamp-1/jobs/notify\n{\"timestamp\":1517016948,\"jobs\":{\"QUEUED\":[{\"jobId\":\"j-1\",\"queuedAt\":1517016947,\"versionNumber\":2}]}}",
    "$aws/things/lamp-1/jobs/notify-next\n{\"execution\":{\"jobId\":\"j-1\",\"status\":\"QUEUED\",\"jobDocument\":{}}}",
    "$aws/commands/things/lamp-1/executions/e-1/request/json\n{\"dim\":40}",
    "$aws/commands/things/lamp-1/executions/e-1/response/json\n{\"status\":\"FAILED\",\"statusReason\":{\"reasonCode\":\"JAMMED\",\"reasonDescription\":\"a branch\"}}",
    "$aws/events/commandExecution/c-1/TIMED_OUT\n{\"executionId\":\"e-1\",\"status\":\"TIMED_OUT\",\"targetArn\":\"arn:aws:iot:r:1:thing/lamp-1\",\"timestamp\":1717708862107}",
];

const SHADOW: &[&str] = &[
    "$aws/things/lamp-1/shadow/update/documents\n{\"previous\":{\"state\":{\"reported\":{\"dim_pct\":1}},\"version\":1},\"current\":{\"state\":{\"desired\":{\"dim_pct\":2},\"reported\":{\"dim_pct\":1}},\"metadata\":{\"desired\":{\"dim_pct\":{\"timestamp\":1700000000}}},\"version\":2},\"timestamp\":1700000000,\"clientToken\":\"t\"}",
    "$aws/things/lamp-1/shadow/name/config/get/accepted\n{\"state\":{\"desired\":{\"a\":[1,{\"b\":null}]},\"reported\":{},\"delta\":{}},\"metadata\":{},\"version\":7,\"timestamp\":1700000000}",
    "$aws/things/lamp-1/shadow/update/rejected\n{\"code\":409,\"message\":\"Version conflict\",\"timestamp\":1700000000,\"clientToken\":\"t\"}",
    "$aws/things/lamp-1/shadow/update/delta\n{\"state\":{\"a\":1},\"version\":2,\"timestamp\":1}",
    "$aws/things/lamp-1/shadow/delete/accepted\n{\"version\":2,\"timestamp\":1}",
    "$aws/things/lamp-1/shadow/update\n{\"state\":{\"desired\":{\"a\":1}},\"version\":2,\"clientToken\":\"t\"}",
];

const TEMPLATES: &[&str] = &[
    "city/{area}/{kind}/{thing}/telemetry\ncity/valletta/lamp/lamp-0417/telemetry",
    "/hfp/v2/{journey}/{event}/{thing}/{thing}/#\n/hfp/v2/journey/vp/0018/01029/2/17:35",
    "malaga/{kind}\nmalaga/parking",
    "$aws/{thing}/#\n$aws/a",
];

const POINTERS: &[&str] = &[
    "/values\n{\"values\":{\"a\":1}}",
    "/*/x\n{\"VP\":{\"x\":{\"b\":2}}}",
    "/a~0~1b/7\n{\"a~/b\":[0,1,2,3,4,5,6,7]}",
    "\n{}",
];

const TIMES: &[&str] = &[
    "Europe/Madrid\n2023-03-26 02:30",
    "Europe/Madrid\n2023-10-29T02:30:00.5",
    "\n1700000000",
    "\n1.7e12",
    "UTC\n2026-11-21T08:00:00+01:00",
    "America/St_Johns\n2026-11-21T08:00:00-03:30[America/St_Johns]",
];

/// The boards that come with the program, and one with mistakes.
const BOARDS: &[&str] = &[
    include_str!("../../assets/boards/operator.toml"),
    include_str!("../../assets/boards/technician.toml"),
    include_str!("../../assets/boards/driver.toml"),
    "version = 1\nname = \"B\"\n[[widget]]\nkind = \"radar\"\nat = { x = 0, y = 0, w = 4, h = 2 }\n[widget.beam]\nwidth = 2\n[[widget]]\nkind = \"gauge\"\nat = { x = 0, y = 0, w = 4, h = 2 }\nthing = \"a\"\nvalue = \"b\"\nmax = 2\n",
];

const QUERIES: &[&str] = &[
    r#"kind:lamp AND shadow.reported.dim_pct:[50 TO 100] AND NOT connectivity.connected:true"#,
    r#"(thingName:tv* AND -plasma) OR group:"Marsa crew" +triq"#,
    r#"age:<10m near:35.899,14.514,500m value.a\.b.c>=-1.5e3 hasDelta:*"#,
    r#"shadow.name.net.reported.dns:(::1 OR "a \"b\"") status:(warning OR critical)"#,
    r#"alarm.priority>=warning alarm.rule:b?n-* {a TO b"#,
    r#"name:{"a" TO *] fill_pct:[* TO 5} \(x"#,
];

const EXPRESSIONS: &[&str] = &[
    "fill_pct >= 90 and not silent",
    "avg(level, 5m) >= 80 % or rate(`/a b`, 1h 30m) > 5 / 1min",
    "not (phases[0].volt in 210..250) && inside('port')\nor missing(x, 30m)",
    "above_usual(power) > 30 or unusual(power) >= 6 or not_converged(15m) or command_failed",
    "count(x, 1s) < 3 and delta(x, 1d) - last(x, 2m) / -2e3 != 1",
    "state = \"fault",
];

const DETECTORS: &[&str] = &[
    r#"{"detectorModelName":"p","evaluationMethod":"SERIAL","detectorModelDefinition":{"initialStateName":"N","states":[{"stateName":"D","onInput":{"transitionEvents":[{"eventName":"b","condition":"$input.P.bar <= 70 && $variable.n <= 1","nextState":"N"}]}},{"stateName":"N","onEnter":{"events":[{"eventName":"a","condition":"true","actions":[{"setVariable":{"variableName":"n","value":"0"}}]}]},"onInput":{"transitionEvents":[{"eventName":"o","condition":"$input.P.bar > 70","nextState":"D","actions":[{"setVariable":{"variableName":"n","value":"$variable.n + 3"}}]}]}}]}}"#,
    r#"{"initialStateName":"A","states":[{"stateName":"L","onExit":{"events":[{"eventName":"s","actions":[{"clearTimer":{"timerName":"t"}},{"sns":{"targetArn":"a"}}]}]}},{"stateName":"A","onEnter":{"events":[{"eventName":"w","actions":[{"setTimer":{"timerName":"t","durationExpression":"30 * 2"}}]}]},"onInput":{"events":[{"eventName":"r","condition":"!timeout(\"t\")","actions":[{"resetTimer":{"timerName":"t"}}]}],"transitionEvents":[{"eventName":"l","condition":"timeout(\"t\")","nextState":"L"}]}}]}"#,
];

const REGISTRIES: &[&str] = &[
    "thing,name,kind,lat,lon,street,area,capacity,interval_s,gateway,units\nl-1,\"Lamp, 1\",lamp,35.9,14.5,Triq,v,,60,g-1,\"power_w=W\"\nl-2,,,,,,,,,,\n",
    r#"{"type":"FeatureCollection","features":[{"type":"Feature","id":"p-1","properties":{"name":"P","capacity":12},"geometry":{"type":"Point","coordinates":[14.5,35.9]}},{"type":"Feature","properties":{"thing":"p-2"},"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}"#,
];

const HOME_ASSISTANT: [Message<'static>; 6] = [
    retained(
        "homeassistant/light/0x0417/light/config",
        r#"{"~":"fleet/lamp","name":null,"uniq_id":"l","schema":"json","stat_t":"~","cmd_t":"~/set","sup_clrm":["brightness"],"bri_scl":254,"avty":[{"t":"~/availability","val_tpl":"{{ value_json.state }}"}],"avty_mode":"all","dev":{"ids":["0x0417"],"name":"Lamp 0417","sa":"Triq"}}"#,
    ),
    retained(
        "homeassistant/sensor/0x0417/power/config",
        r#"{"~":"fleet/lamp","name":"Power","uniq_id":"p","stat_t":"~","unit_of_meas":"W","exp_aft":60,"val_tpl":"{{ value_json['power'] | float(0) | round(1) if value_json.power is defined else 'n' }}","dev":{"ids":"0x0417"}}"#,
    ),
    retained(
        "homeassistant/device/0x9/config",
        r#"{"dev":{"ids":"0x9","name":"T"},"o":{"name":"x"},"cmps":{"t":{"p":"sensor","device_class":"temperature","val_tpl":"{{ value_json.t }}","uniq_id":"t"},"s":{"p":"select","cmd_t":"x/set","options":["a","b"],"uniq_id":"s"}},"stat_t":"x/state"}"#,
    ),
    retained("fleet/lamp/availability", r#"{"state":"online"}"#),
    retained("fleet/lamp", r#"{"state":"ON","brightness":127,"power":23.46}"#),
    retained("homeassistant/sensor/0x0417/power/config", ""),
];

const ZIGBEE2MQTT: [Message<'static>; 5] = [
    retained("zigbee2mqtt/bridge/state", r#"{"state":"online"}"#),
    retained(
        "zigbee2mqtt/bridge/devices",
        r#"[{"friendly_name":"Coordinator","type":"Coordinator","definition":null},{"friendly_name":"bulb","ieee_address":"0x90","type":"Router","supported":true,"disabled":false,"definition":{"model":"M","vendor":"V","description":"D","exposes":[{"type":"light","features":[{"type":"binary","name":"state","property":"state","value_on":"ON","value_off":"OFF","access":7},{"type":"numeric","name":"brightness","property":"brightness","value_min":0,"value_max":254,"unit":"%","access":7},{"type":"composite","name":"color_xy","property":"color","access":7,"features":[{"type":"numeric","name":"x","property":"x","access":7}]}]},{"type":"enum","name":"mode","property":"mode","values":["a","b"],"access":7}]}}]"#,
    ),
    retained("zigbee2mqtt/bulb/availability", r#"{"state":"online"}"#),
    retained("zigbee2mqtt/bulb", r#"{"state":"ON","brightness":120,"color":{"x":0.3},"mode":"a","linkquality":90}"#),
    retained(
        "zigbee2mqtt/bridge/event",
        r#"{"type":"device_leave","data":{"friendly_name":"bulb","ieee_address":"0x90"}}"#,
    ),
];

const HOMIE: [Message<'static>; 8] = [
    retained("homie/5/bridge/$state", "ready"),
    retained(
        "homie/5/bridge/$description",
        r#"{"homie":"5.0","version":1,"name":"Bridge","children":["lamp"],"nodes":{}}"#,
    ),
    retained("homie/5/lamp/$state", "ready"),
    retained(
        "homie/5/lamp/$description",
        r#"{"homie":"5.0","version":1,"name":"Lamp 7","root":"bridge","nodes":{"light":{"name":"Light","properties":{"power":{"datatype":"boolean","settable":true,"format":"off,on"},"level":{"datatype":"integer","format":"0:100:5","unit":"%","settable":true},"mode":{"datatype":"enum","format":"steady,blink"},"colour":{"datatype":"color","format":"rgb"},"at":{"datatype":"datetime"},"for":{"datatype":"duration"}}}}}"#,
    ),
    retained("homie/5/lamp/light/level", "40"),
    retained("homie/5/lamp/light/level/$target", "60"),
    retained("homie/5/lamp/$alert/hot", "too hot"),
    Message { retained: false, after_loss: true, topic: "homie/5/bridge/$state", payload: b"lost" },
];

const fn retained(topic: &'static str, payload: &'static str) -> Message<'static> {
    Message { retained: true, after_loss: false, topic, payload: payload.as_bytes() }
}

/// A node with a device, born, speaking by alias, dead; and one whose birth was missed.
fn sparkplug() -> Vec<Vec<u8>> {
    let mut node = EdgeNode::new("g", "n", 3);
    let death = node.death(NOW);
    let metrics = [
        Metric::new("Outputs/Pump", Datatype::Boolean, Carried::Boolean(true)).at(NOW),
        Metric::new("Temp", Datatype::Double, Carried::Double(21.5)).at(NOW),
        Metric::new("Name", Datatype::String, Carried::Text("pump 1".to_owned())).at(NOW),
        Metric::new("Count", Datatype::UInt64, Carried::Long(7)).at(NOW),
    ];
    let whole = [
        node.birth(&metrics, NOW),
        node.device_birth("d", &metrics, NOW),
        node.data(&metrics[..1], NOW),
        node.device_data("d", &metrics[1..], NOW),
        node.device_death("d", NOW),
        death,
    ];
    let whole: Vec<(String, Vec<u8>)> = whole.into_iter().map(|sent| (sent.topic, sent.payload)).collect();
    let state = [("spBv1.0/STATE/city".to_owned(), br#"{"online":true,"timestamp":1700000000000}"#.to_vec())];
    [&whole[..], &whole[2..], &state].map(conversation).to_vec()
}

fn conversation(messages: &[(String, Vec<u8>)]) -> Vec<u8> {
    let message = |(topic, payload)| Message { retained: false, after_loss: false, topic, payload };
    let all: Vec<Message<'_>> = messages.iter().map(|(topic, payload)| message((topic, payload))).collect();
    written(&all)
}
