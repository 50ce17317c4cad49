//! How a cluster looks: a round badge with its count and, when something in it needs a person, a tag with the shape of the worst and how
//! many. Packed for `badge.vert`; the signs come from a small picture that [`sheet`] draws once a theme and a screen. The packing is pure.

use fleetlens_ipc::map::Status;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement};

use super::clusters::{Cluster, short};

/// Bytes of one badge: x and y as f32; radius, look, signs of the count and of the tag; four signs of the count; four of the tag.
pub const BADGE_BYTES: usize = 20;

/// The signs of the sheet, in their order there. The last two are shapes, drawn and not written.
const SIGNS: &str = "0123456789k.▲◆";

/// Cells of the sheet, one a sign.
pub const SHEET_SIGNS: u32 = 14;

/// A cell of the sheet, in CSS pixels. The digits of Inter at 11 pixels are 7 wide, as `badge.frag` sets them.
pub const SIGN_PX: (f64, f64) = (12.0, 16.0);

/// In a badge's look: something in it is critical.
const LOOK_CRITICAL: u8 = 1;
/// In a badge's look: most of it is unknown.
const LOOK_UNKNOWN: u8 = 2;
/// In a badge's look: a command is open in it.
const LOOK_PENDING: u8 = 4;
/// In a badge's look: under the pointer, or with the keyboard.
const LOOK_HOVERED: u8 = 8;

/// The badge's radius in CSS pixels: larger for more, by the number of digits.
pub fn radius_px(count: u32) -> f64 {
    match count {
        0..100 => 13.0,
        100..1_000 => 15.0,
        1_000..10_000 => 17.0,
        _ => 19.0,
    }
}

/// Appends a cluster's bytes.
pub fn pack(cluster: &Cluster, is_hovered: bool, into: &mut Vec<u8>) {
    let flag = |is: bool, flag: u8| if is { flag } else { 0 };
    let look = flag(cluster.worst == Status::Critical, LOOK_CRITICAL)
        | flag(cluster.is_unknown, LOOK_UNKNOWN)
        | flag(cluster.is_pending, LOOK_PENDING)
        | flag(is_hovered, LOOK_HOVERED);
    let (count, count_signs) = signs(&short(cluster.count));
    let (tag, tag_signs) = match (cluster.need, cluster.worst) {
        (0, _) => signs(""),
        (need, Status::Critical) => signs(&format!("◆{}", tag_number(need))),
        (need, Status::Normal | Status::Unknown | Status::Warning) => signs(&format!("▲{}", tag_number(need))),
    };
    into.extend_from_slice(&(cluster.at.x as f32).to_le_bytes());
    into.extend_from_slice(&(cluster.at.y as f32).to_le_bytes());
    into.extend_from_slice(&[radius_px(cluster.count) as u8, look, count, tag]);
    into.extend_from_slice(&count_signs);
    into.extend_from_slice(&tag_signs);
}

/// Three signs: thousands without their tenths.
pub fn tag_number(need: u32) -> String {
    if need < 1_000 { need.to_string() } else { format!("{}k", (need / 1_000).min(99)) }
}

/// How many signs a text has, at most four, and where each is on the sheet.
fn signs(text: &str) -> (u8, [u8; 4]) {
    let mut places = [0; 4];
    let mut count = 0;
    let known = text.chars().filter_map(|sign| SIGNS.chars().position(|known| known == sign));
    for (place, slot) in known.zip(places.iter_mut()) {
        *slot = u8::try_from(place).unwrap_or(0);
        count += 1;
    }
    (count, places)
}

/// The signs side by side, white on nothing, `ratio` device pixels a CSS pixel.
pub fn sheet(ratio: f64) -> Result<HtmlCanvasElement, JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or("no page")?;
    let canvas: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
    let (width_px, height_px) = (SIGN_PX.0 * ratio, SIGN_PX.1 * ratio);
    canvas.set_width((width_px * f64::from(SHEET_SIGNS)).ceil() as u32);
    canvas.set_height(height_px.ceil() as u32);
    let context: CanvasRenderingContext2d = canvas.get_context("2d")?.ok_or("no canvas")?.dyn_into()?;
    context.scale(ratio, ratio)?;
    context.set_fill_style_str("#fff");
    context.set_font("600 11px 'Inter Variable', Inter, system-ui, sans-serif");
    context.set_text_align("center");
    context.set_text_baseline("middle");
    for (place, sign) in SIGNS.chars().enumerate() {
        let (x, y) = (SIGN_PX.0 * (place as f64 + 0.5), SIGN_PX.1 / 2.0);
        match sign {
            '▲' => polygon(&context, &[(x, y - 4.0), (x + 4.0, y + 3.4), (x - 4.0, y + 3.4)]),
            '◆' => polygon(&context, &[(x, y - 4.4), (x + 4.4, y), (x, y + 4.4), (x - 4.4, y)]),
            // Digits sit a little high in their box.
            _ => context.fill_text(&sign.to_string(), x, y + 0.5)?,
        }
    }
    Ok(canvas)
}

fn polygon(context: &CanvasRenderingContext2d, corners: &[(f64, f64)]) {
    context.begin_path();
    for (x, y) in corners {
        context.line_to(*x, *y);
    }
    context.close_path();
    context.fill();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::islands::mercator::Local;

    fn cluster(count: u32, need: u32, worst: Status) -> Cluster {
        Cluster { cell: (1, 2), at: Local::default(), count, need, worst, is_unknown: false, is_pending: false }
    }

    /// Look, and both texts as they are read.
    fn read(cluster: &Cluster, hovered: bool) -> (u8, String, String) {
        let mut bytes = Vec::new();
        pack(cluster, hovered, &mut bytes);
        assert_eq!(bytes.len(), BADGE_BYTES);
        let text = |from: usize, count: u8| {
            bytes[from..from + usize::from(count)]
                .iter()
                .map(|at| SIGNS.chars().nth(usize::from(*at)).unwrap())
                .collect()
        };
        (bytes[9], text(12, bytes[10]), text(16, bytes[11]))
    }

    #[test]
    fn a_badge_says_how_many_and_how_many_need_a_person() {
        for (given, want) in [
            (cluster(214, 0, Status::Normal), (0, "214", "")),
            (cluster(1_240, 3, Status::Warning), (0, "1.2k", "▲3")),
            (cluster(104_000, 1_300, Status::Critical), (LOOK_CRITICAL, "104k", "◆1k")),
            (Cluster { is_unknown: true, ..cluster(40, 0, Status::Unknown) }, (LOOK_UNKNOWN, "40", "")),
            (Cluster { is_pending: true, ..cluster(40, 999, Status::Warning) }, (LOOK_PENDING, "40", "▲999")),
        ] {
            let (look, count, tag) = read(&given, false);
            assert_eq!((look, count.as_str(), tag.as_str()), want);
        }
        assert_eq!(read(&cluster(20, 0, Status::Normal), true).0, LOOK_HOVERED);
    }

    #[test]
    fn every_sign_has_its_cell_on_the_sheet() {
        assert_eq!(SIGNS.chars().count(), SHEET_SIGNS as usize);
        assert!(include_str!("badge.frag").contains(&format!("SHEET_SIGNS = {SHEET_SIGNS}.0")));
    }
}
