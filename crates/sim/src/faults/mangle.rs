//! Values that cannot be, and payloads that are none.

use fleetlens_model::kind::Kind;
use fleetlens_model::shadow::Object;
use serde_json::{Value, json};

/// Puts a value into `values` that no such thing can measure: what a cable that came off, a counter that ran over or a receiver
/// without satellites says. `number` chooses among a few.
pub(super) fn nonsense(kind: Kind, number: i64, values: &mut Object) {
    let choices = match kind {
        Kind::Parking => [json!({"free": -3}), json!({"free": 65_535})],
        // -127 °C is what a common thermometer (DS18B20) reads as without its cable…
        Kind::Lamp => [json!({"temp_c": -127.0}), json!({"power_w": 65_535})],
        // …and 85 °C what it reads when its power dipped, before it has measured: it must not call the fire brigade.
        Kind::Bin => [json!({"fill_pct": 255}), json!({"temp_c": 85.0})],
        Kind::Charger => [json!({"power_kw": -4_294_967.3}), json!({"session_kwh": 1e12})],
        Kind::Vehicle => [json!({"lat": 0, "lon": 0}), json!({"speed_kmh": 655})],
        Kind::Gateway => [json!({"heard": 4_294_967_295_u32}), json!({"rssi_dbm": 127})],
        Kind::Other => return,
    };
    let choice = choices.into_iter().nth(usize::from(number.rem_euclid(2) == 1));
    if let Some(Value::Object(fields)) = choice {
        values.extend(fields);
    }
}

/// The payload as it arrives when something breaks it; `number` chooses how.
pub(super) fn malformed(payload: &[u8], number: i64) -> Vec<u8> {
    match number.rem_euclid(5) {
        0 => payload.get(..payload.len() / 2).unwrap_or_default().to_vec(),
        1 => b"{\"ts\":1768345200000,\"values\":{\"temp_c\":NaN}}".to_vec(),
        2 => payload.iter().map(|byte| byte | 0x80).collect(), // seven bits read as eight
        3 => b"[17, 4]".to_vec(),
        _ => b"ERR 7: sensor bus".to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nonsense_changes_a_value_of_every_kind_that_the_city_has() {
        for kind in Kind::ALL {
            for number in 0..2 {
                let mut values = Object::new();
                nonsense(kind, number, &mut values);
                assert_eq!(values.is_empty(), kind == Kind::Other, "{kind:?}");
                assert!(values.keys().all(|name| kind.field(&format!("/{name}")).is_some()), "{kind:?}: {values:?}");
            }
        }
    }

    #[test]
    fn what_is_malformed_is_never_an_object() {
        let payload = br#"{"ts":1,"values":{"a":1}}"#;
        for number in 0..10 {
            let broken = malformed(payload, number);
            assert!(serde_json::from_slice::<Object>(&broken).is_err(), "{number}");
        }
    }
}
