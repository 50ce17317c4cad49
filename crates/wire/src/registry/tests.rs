use super::*;

fn csv(text: &str) -> Registry {
    read_csv(text.as_bytes(), &Columns::new()).unwrap()
}

fn told(registry: &Registry) -> Vec<String> {
    registry.mistakes().collect()
}

#[test]
fn a_row_says_what_a_thing_is() {
    let about = About {
        kind: Some(Kind::Parking),
        title: Some("Salitre, \"the old one\"".into()),
        street: Some("Calle Salitre".into()),
        area: Some("Centro".into()),
        lat_deg: Some(36.7117),
        lon_deg: Some(-4.4318),
        capacity: Some(342),
        capacity_accessible: Some(7),
        interval_s: Some(900),
        gateway: Some("gw-1".into()),
        units: vec![("/power_w".into(), "W".into()), ("/air/temp".into(), "°C".into())],
        ..About::default()
    };
    let commas = "thing,name,kind,lat,lon,street,area,capacity,capacity_accessible,interval_s,gateway,units,colour\n\
        p-1,\"Salitre, \"\"the old one\"\"\",parking,36.7117,-4.4318,Calle Salitre,Centro,342,7,900,gw-1,power_w=W; /air/temp=°C,red\n\
        p-2,,,,,,,,,,,,\n";
    let semicolons = "\u{feff}id;kind;lat;lon;name;street;area;capacity;capacity_accessible;interval_s;gateway;units\r\n\
        p-1;parking;36.7117;-4.4318;\"Salitre, \"\"the old one\"\"\";Calle Salitre;Centro;342;7;900;gw-1;\"power_w=W;/air/temp=°C\"\r\n\
        p-2;;0;0;;;;0;;;;\r\n";
    let geojson = r#"{"type":"FeatureCollection","name":"x","features":[{"type":"Feature","id":"p-1",
        "geometry":{"type":"Point","coordinates":[-4.4318,36.7117,12]},"properties":{"name":"Salitre, \"the old one\"",
        "kind":"parking","street":"Calle Salitre","area":"Centro","capacity":342,"capacity_accessible":"7","interval_s":900,
        "gateway":"gw-1","units":{"power_w":"W","/air/temp":"°C"},"more":{"a":[1]}}},
        {"type":"Feature","geometry":{"type":"Polygon","coordinates":[]},"properties":{"thing":"p-2","name":null}}]}"#;
    let geojson = read_geojson(geojson.as_bytes(), &Columns::new()).unwrap();
    for (name, registry) in [("commas", csv(commas)), ("semicolons", csv(semicolons)), ("GeoJSON", geojson)] {
        assert_eq!(told(&registry), [""; 0], "{name}");
        let mut found = registry.get("p-1").unwrap().clone();
        found.units.sort_by(|(a, _), (b, _)| b.cmp(a));
        assert_eq!(found, about, "{name}");
        assert_eq!(registry.get("p-2"), Some(&About::default()), "{name}");
        assert_eq!(registry.things().count(), 2, "{name}");
    }
}

#[test]
fn the_profile_says_what_columns_are_called() {
    let columns: Columns = [(Column::Thing, "asset_id".to_owned()), (Column::Name, "label".to_owned())].into();
    let registry = read_csv("asset_id\tlabel\tthing\n7\tLamp 7\tx\n".as_bytes(), &columns).unwrap();
    assert_eq!(registry.get("7").unwrap().title.as_deref(), Some("Lamp 7"));
    let feature = r#"{"features":[{"type":"Feature","properties":{"asset_id":7,"label":"Lamp 7"}}]}"#;
    assert_eq!(read_geojson(feature.as_bytes(), &columns).unwrap(), registry);
    for (header, says) in [
        ("id,label\n", "no column \"asset_id\" for the names of things, only id, label; [registry.columns]"),
        ("asset_id,name\n", "no column \"label\", only asset_id, name; [registry.columns] names it"),
    ] {
        let error = read_csv(header.as_bytes(), &columns).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let error = read_csv("a,b\n".as_bytes(), &Columns::new()).unwrap_err().to_string();
    assert!(error.contains("no column \"thing\" or \"id\" for the names"), "{error}");
}

#[test]
fn a_bad_row_is_told_with_its_line_and_the_others_are_used() {
    let long = "n".repeat(257);
    let wide = "x".repeat(70_000);
    for (row, says) in [
        (",parking,1,1,5", "it names no thing"),
        ("a\u{7},parking,1,1,5", "hidden character"),
        (&format!("{long},parking,1,1,5"), "257 bytes"),
        ("a,lampe,1,1,5", "there is no kind \"lampe\", only parking, lamp"),
        ("a,parking,north,1,5", "lat is \"north\"; it must be a number, such as 35.9"),
        ("a,parking,\"35,9\",1,5", "lat is \"35,9\""),
        ("a,parking,inf,1,5", "lat is \"inf\""),
        ("a,parking,1,,5", "of lat and lon it has only one"),
        ("a,parking,91,1,5", "91 north, 1 east is no place on earth"),
        ("a,parking,1,1,-1", "capacity is -1; it must be a whole number from 0"),
        ("a,parking,1,1,2.5", "capacity is 2.5"),
        ("a,parking,1,1", "it has 4 columns where the header has 5"),
        (&format!("a,parking,1,1,{wide}"), "at most 65536 are read"),
        ("good,lamp,1,1,5", "good stands there already; its first row counts"),
    ] {
        let registry =
            csv(&format!("id,kind,lat,lon,capacity\ngood,lamp,2,2,\n\"q\",lamp,\"2\",2,\n{row}\nlast,bin,1,1,\n"));
        let [mistake] = told(&registry).try_into().unwrap_or_else(|all| panic!("{row:.60}: {all:?}"));
        assert!(mistake.starts_with("line 4: ") && mistake.contains(says), "{row:.60}: {mistake}");
        assert_eq!(registry.things().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["good", "last", "q"]);
    }
    let latin1 = b"id,name\na,M\xe1laga\nb,ok\n".to_vec();
    let registry = read_csv(latin1.as_slice(), &Columns::new()).unwrap();
    assert_eq!((told(&registry), registry.things().count()), (vec!["line 2: its name is not UTF-8".to_owned()], 1));
    for (row, says) in
        [("a,interval_s,0", "interval_s is 0"), ("a,units,power", "\"power\" is no unit; write power_w=W")]
    {
        let [thing, column, value] = row.split(',').collect::<Vec<_>>().try_into().unwrap();
        let registry = csv(&format!("id,{column}\n{thing},{value}\n"));
        assert!(told(&registry)[0].contains(says), "{:?}", told(&registry));
    }
    let features = r#"{"features":[7,{"type":"Feature","properties":null},{"type":"Feature","properties":{"id":{},"name":1}},
        {"type":"Feature","id":1,"properties":{"name":["a"]}},{"type":"Feature","id":2,"properties":{"units":{"a":1}}},
        {"type":"Feature","id":3,"geometry":{"type":"Point","coordinates":["a",1]},"properties":{}},
        {"type":"Feature","id":4}]}"#;
    let registry = read_geojson(features.as_bytes(), &Columns::new()).unwrap();
    let want = [
        "feature 1: it is no Feature",
        "feature 2: it names no thing",
        "feature 3: thing is {}; it must be a thing's name",
        "feature 4: name is [\"a\"]; it must be a text",
        "feature 5: the unit of \"a\" is no text",
        "feature 6: lon is \"a\"; it must be",
    ];
    let told = told(&registry);
    assert_eq!(registry.things().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["4"]);
    assert_eq!(told.len(), want.len());
    for (told, want) in told.iter().zip(want) {
        assert!(told.starts_with(want), "{told}");
    }
}

#[test]
fn many_mistakes_and_many_things_are_counted() {
    let mut text = "id,lat,lon\n".to_owned();
    (0..250).for_each(|i| text += &format!("a{i},x,1\n"));
    let registry = csv(&text);
    let told = told(&registry);
    assert_eq!((told.len(), told[100].as_str()), (101, "150 more rows that cannot be read"));
    let mut text = "id\n".to_owned();
    (0..THINGS_MAX + 2).for_each(|i| text += &format!("a{i}\n"));
    let registry = csv(&text);
    assert_eq!(registry.things().count(), THINGS_MAX);
    assert_eq!(
        registry.mistakes().collect::<Vec<_>>(),
        ["line 200002: a registry lists at most 200000 things; the rest is left out"]
    );
}

#[test]
fn what_is_no_list_is_refused() {
    let deep = "[".repeat(10_000);
    for (text, says) in [
        ("[]", "expected a FeatureCollection"),
        ("{}", "no member \"features\""),
        ("{\"features\":7}", "expected a list of features"),
        ("{\"features\":[{\"type\":\"Feature\"", "EOF"),
        ("{\"features\":[]} x", "trailing characters"),
        (&format!("{{\"features\":{deep}"), "recursion limit"),
        (&format!("{{\"a\":{deep}"), "EOF"),
    ] {
        let error = read_geojson(text.as_bytes(), &Columns::new()).unwrap_err().to_string();
        assert!(error.contains(says), "{text:.40}: {error}");
    }
    let mut longer = Bounded { inner: "four".as_bytes(), left: 3 };
    let error = longer.read_to_end(&mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("more than 268435456 bytes"), "{error}");
}
