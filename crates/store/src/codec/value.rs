//! One value in as few bytes as it needs. Most numbers that devices say are decimals of a few digits: 21.3 is kept as 213 and "one
//! place". That is exact: dividing by the power of ten gives back the very bits, or the number is kept as its 64 bits.

use fleetlens_model::telemetry::Value;

use super::Damaged;
use super::bytes::{Input, put_signed, put_unsigned};

/// The most decimal places that are looked for.
pub(crate) const PLACES_MAX: u8 = 6;

const POWERS: [f64; PLACES_MAX as usize + 1] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// Above this not every whole number is a 64-bit float.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The shape of a value, three bits: from [`DECIMAL`] on with 0, 1 and 2 places, and one whose places follow as a byte.
pub(crate) const FALSE: u8 = 0;
pub(crate) const TRUE: u8 = 1;
pub(crate) const TEXT: u8 = 2;
pub(crate) const FLOAT: u8 = 3;
pub(crate) const DECIMAL: u8 = 4;

/// A number as a whole one of 10⁻ᵖˡᵃᶜᵉˢ, with exactly these places; `None` when it is none.
pub(crate) fn scaled(number: f64, places: u8) -> Option<i64> {
    let power = *POWERS.get(usize::from(places))?;
    let exact = number * power;
    // Rounded by hand: `round` is a call where the processor is not known to have it.
    let whole = (exact + 0.5_f64.copysign(exact)) as i64;
    // As it will come back: a zero has no sign then.
    let back = whole as f64 / power;
    (exact.abs() < WHOLE_MAX && back.to_bits() == number.to_bits()).then_some(whole)
}

/// A number as the nearest whole one of 10⁻ᵖˡᵃᶜᵉˢ, if it is this near to it, in such units.
pub(crate) fn rounded(number: f64, places: u8, near: f64) -> Option<i64> {
    let exact = number * POWERS.get(usize::from(places))?;
    let whole = exact.round();
    (whole.abs() < WHOLE_MAX && (whole - exact).abs() < near).then_some(whole as i64)
}

/// A number as a whole one and its fewest places.
pub(crate) fn decimal(number: f64) -> Option<(i64, u8)> {
    (0..=PLACES_MAX).find_map(|places| Some((scaled(number, places)?, places)))
}

/// What [`scaled`] made whole.
pub(crate) fn unscaled(whole: i64, places: u8) -> Result<f64, Damaged> {
    Ok(whole as f64 / power(places)?)
}

/// What a number was multiplied by to make it whole.
pub(crate) fn power(places: u8) -> Result<f64, Damaged> {
    POWERS.get(usize::from(places)).copied().ok_or(Damaged)
}

/// Adds a value and returns its shape, which is kept elsewhere.
pub(crate) fn put(out: &mut Vec<u8>, value: &Value) -> u8 {
    match value {
        Value::Flag(false) => FALSE,
        Value::Flag(true) => TRUE,
        Value::Text(text) => {
            put_unsigned(out, text.len() as u64);
            out.extend(text.as_bytes());
            TEXT
        }
        Value::Number(number) => match decimal(*number) {
            Some((whole, places)) => {
                put_signed(out, whole);
                // Most have none or one; the shape has no bits for more than two.
                if places < 3 {
                    DECIMAL + places
                } else {
                    out.push(places);
                    DECIMAL + 3
                }
            }
            None => {
                out.extend(number.to_le_bytes());
                FLOAT
            }
        },
    }
}

/// A value of this shape.
pub(crate) fn get(input: &mut Input<'_>, shape: u8) -> Result<Value, Damaged> {
    Ok(match shape {
        FALSE => Value::Flag(false),
        TRUE => Value::Flag(true),
        TEXT => Value::Text(text(input)?),
        FLOAT => Value::Number(f64::from_le_bytes(input.array()?)),
        DECIMAL..7 => Value::Number(unscaled(input.signed()?, shape - DECIMAL)?),
        7 => {
            let whole = input.signed()?;
            Value::Number(unscaled(whole, input.byte()?)?)
        }
        _ => return Err(Damaged),
    })
}

/// Passes over a value of this shape.
pub(crate) fn skip(input: &mut Input<'_>, shape: u8) -> Result<(), Damaged> {
    match shape {
        FALSE | TRUE => {}
        TEXT => {
            let bytes = input.count()?;
            input.take(bytes)?;
        }
        FLOAT => drop(input.array::<8>()?),
        DECIMAL..7 => drop(input.unsigned()?),
        7 => {
            input.unsigned()?;
            input.byte()?;
        }
        _ => return Err(Damaged),
    }
    Ok(())
}

pub(crate) fn text(input: &mut Input<'_>) -> Result<String, Damaged> {
    let bytes = input.count()?;
    let text = std::str::from_utf8(input.take(bytes)?).map_err(|_| Damaged)?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_of_few_places_takes_few_bytes_and_every_one_comes_back_to_the_bit() {
        for (number, bytes) in [
            (0.0, 1),
            (-0.0, 8),
            (21.3, 2),
            (-63.0, 1),
            (0.1 + 0.2, 8),
            (14.512_345, 5),
            (1e15, 8),
            (9_007_199_254_740_993.0, 8),
            (f64::MAX, 8),
            (5e-324, 8),
        ] {
            let mut out = Vec::new();
            let shape = put(&mut out, &Value::Number(number));
            assert_eq!(out.len(), bytes, "{number}");
            let Ok(Value::Number(back)) = get(&mut Input(&out), shape) else { panic!("{number}") };
            assert_eq!(back.to_bits(), number.to_bits(), "{number}");
        }
    }

    proptest! {
        #[test]
        fn any_number_comes_back_to_the_bit(number in prop::num::f64::ANY.prop_filter("finite", |n| n.is_finite())) {
            let mut out = Vec::new();
            let shape = put(&mut out, &Value::Number(number));
            let Ok(Value::Number(back)) = get(&mut Input(&out), shape) else { panic!("{number}") };
            prop_assert_eq!(back.to_bits(), number.to_bits());
        }
    }
}
