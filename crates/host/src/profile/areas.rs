//! The areas of a profile that its rules name: a polygon, a circle, or a feature of a GeoJSON file beside it.

mod geojson;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use fleetlens_model::alarm::fence::{Area, Fence, NAME_MAX_CHARS, Shape};
use fleetlens_model::geo::LonLat;
use serde::Deserialize;
use serde_json::Value as Json;
use toml::Spanned;

use super::{Mistake, beside};

/// The most areas of a profile.
const AREAS_MAX: usize = 200;

/// The largest file that an area is read from, in bytes.
const FILE_MAX_BYTES: usize = 4 * 1024 * 1024;

/// How far outside what was inside must be before it has left, where nobody says it, in metres: as far as positions jump between houses.
const MARGIN_M: f64 = 20.0;

/// One `[[area]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenArea {
    name: Spanned<String>,
    corners: Option<Spanned<Vec<Spanned<[f64; 2]>>>>,
    middle: Option<Spanned<[f64; 2]>>,
    radius_m: Option<Spanned<f64>>,
    file: Option<Spanned<String>>,
    margin_m: Option<Spanned<f64>>,
}

/// The areas of a profile, before its files were read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Areas {
    /// Those that stand in it.
    pub known: Vec<Area>,
    /// The files of the others.
    pub files: Vec<AreaFile>,
}

/// An area in a file, not read yet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AreaFile {
    name: String,
    file: PathBuf,
    margin_m: f64,
    at: Range<usize>,
}

impl Areas {
    /// The names that rules may use, in the order of the profile's.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().map(|area| area.name.as_str()).chain(self.files.iter().map(|file| file.name.as_str()))
    }
}

/// The areas as they are written, checked.
pub(super) fn areas(written: Vec<WrittenArea>) -> Result<Areas, Mistake> {
    let mut areas = Areas::default();
    for (nth, one) in written.into_iter().enumerate() {
        let at = one.name.span();
        if nth == AREAS_MAX {
            return Err(Mistake::new(at, format!("a profile has at most {AREAS_MAX} areas")));
        }
        let name = one.checked_name()?;
        if areas.names().any(|known| known == name) {
            return Err(Mistake::new(at, format!("there are two areas {name:?}")));
        }
        let margin_m = one.margin_m.as_ref().map_or(MARGIN_M, |margin| *margin.get_ref());
        let wrong_at = one.margin_m.as_ref().map(Spanned::span);
        // That of a file is told before the file is looked for.
        let nowhere = Shape::Circle { middle: LonLat { lon_deg: 0.0, lat_deg: 1.0 }, radius_m: 1.0 };
        Fence::new(nowhere, margin_m).map_err(|why| Mistake::new(wrong_at.unwrap_or(at.clone()), why))?;
        match one.shape()? {
            Described::Here(shape, at) => {
                let fence = Fence::new(shape, margin_m).map_err(|why| Mistake::new(at, why))?;
                areas.known.push(Area { name, fence });
            }
            Described::Beside(file, at) => areas.files.push(AreaFile { name, file, margin_m, at }),
        }
    }
    Ok(areas)
}

/// Where it is said where an area is.
enum Described {
    Here(Shape, Range<usize>),
    Beside(PathBuf, Range<usize>),
}

impl WrittenArea {
    fn checked_name(&self) -> Result<String, Mistake> {
        let name = self.name.get_ref().trim();
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_MAX_CHARS || name.chars().any(char::is_control) {
            let why = format!("the area's name has {chars} characters; 1 to {NAME_MAX_CHARS} are right");
            return Err(Mistake::new(self.name.span(), why));
        }
        if name.contains('"') {
            return Err(Mistake::new(self.name.span(), "an area's name has no \" in it: rules write it between two"));
        }
        Ok(name.to_owned())
    }

    fn shape(self) -> Result<Described, Mistake> {
        const ONE: &str =
            "write corners = [[lon, lat], …], or middle = [lon, lat] with radius_m, or file = \"areas.geojson\"";
        match (self.corners, self.middle, self.radius_m, self.file) {
            (Some(corners), None, None, None) => {
                let at = corners.span();
                let places = corners.into_inner().iter().map(place).collect::<Result<Vec<_>, _>>()?;
                Ok(Described::Here(Shape::Polygon(closed(places)), at))
            }
            (None, Some(middle), Some(radius), None) => {
                let shape = Shape::Circle { middle: place(&middle)?, radius_m: *radius.get_ref() };
                Ok(Described::Here(shape, radius.span()))
            }
            (None, None, None, Some(file)) => {
                let path = PathBuf::from(file.get_ref());
                let mut parts = path.components();
                let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
                if !is_plain || path.extension().is_none_or(|end| end != "geojson" && end != "json") {
                    let why = format!(
                        "{:?} is no GeoJSON file beside the profile; write a name such as \"areas.geojson\"",
                        file.get_ref()
                    );
                    return Err(Mistake::new(file.span(), why));
                }
                Ok(Described::Beside(path, file.span()))
            }
            (None, Some(middle), None, None) => Err(Mistake::new(middle.span(), "a circle needs a radius_m as well")),
            (None, None, Some(radius), None) => Err(Mistake::new(radius.span(), "a circle needs a middle as well")),
            (None, None, None, None) => {
                Err(Mistake::new(self.name.span(), format!("it is not said where the area is; {ONE}")))
            }
            (_, _, _, _) => Err(Mistake::new(self.name.span(), format!("it is said twice where the area is; {ONE}"))),
        }
    }
}

fn place(written: &Spanned<[f64; 2]>) -> Result<LonLat, Mistake> {
    let [lon, lat] = *written.get_ref();
    LonLat::new(lon, lat).ok_or_else(|| Mistake::new(written.span(), no_place(lon, lat)))
}

fn no_place(lon: f64, lat: f64) -> String {
    format!("[{lon}, {lat}] is no place on the earth; write the degrees east first, then those north")
}

/// Corners without the first once more at the end, as GeoJSON writes them.
fn closed(mut corners: Vec<LonLat>) -> Vec<LonLat> {
    if corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    corners
}

/// Reads the files, each once; blocks on the disk.
pub(super) fn read(files: Vec<AreaFile>, folder: &Path) -> Result<Vec<Area>, Mistake> {
    let mut known: BTreeMap<PathBuf, Json> = BTreeMap::new();
    let area = |AreaFile { name, file, margin_m, at }: AreaFile| {
        let wrong = |why: String| Mistake::new(at.clone(), format!("{}{why}", file.display()));
        if !known.contains_key(&file) {
            let text = beside::read(&folder.join(&file), FILE_MAX_BYTES)
                .map_err(|why| wrong(format!(" cannot be read: {why}")))?;
            known.insert(file.clone(), geojson::read(&text).map_err(|why| wrong(format!(", {why}")))?);
        }
        let corners = known.get(&file).map(|json| geojson::corners(json, &name)).unwrap_or_else(|| Ok(Vec::new()));
        let corners = closed(corners.map_err(|why| wrong(format!(", {why}")))?);
        let fence = Fence::new(Shape::Polygon(corners), margin_m).map_err(|why| wrong(format!(": {why}")))?;
        Ok(Area { name, fence })
    };
    files.into_iter().map(area).collect()
}

#[cfg(test)]
mod tests;
