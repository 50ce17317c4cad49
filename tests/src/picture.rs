//! What a picture of the window shows: colours, and where two of them differ.

use std::collections::HashSet;
use std::io::Cursor;

/// A picture in memory.
pub struct Picture {
    width: usize,
    height: usize,
    rgb: Vec<[u8; 3]>,
}

/// A part of a picture, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: usize,
    /// Upper edge.
    pub y: usize,
    /// Width.
    pub width: usize,
    /// Height.
    pub height: usize,
}

impl Area {
    /// The square around a point, cut where it would leave the picture at the left or the top.
    pub fn around(x: f64, y: f64, radius: usize) -> Area {
        let (x, y) = (x.max(0.0) as usize, y.max(0.0) as usize);
        let (left, top) = (x.saturating_sub(radius), y.saturating_sub(radius));
        Area { x: left, y: top, width: x + radius + 1 - left, height: y + radius + 1 - top }
    }
}

impl Picture {
    /// Reads a PNG of 8 bits a channel, as WebDriver takes them.
    pub fn read(png: &[u8]) -> Picture {
        let mut decoder = png::Decoder::new(Cursor::new(png));
        decoder.set_transformations(png::Transformations::normalize_to_color8());
        let mut reader = decoder.read_info().unwrap_or_else(|e| panic!("not a picture: {e}"));
        let mut bytes = vec![0; reader.output_buffer_size().expect("a picture of the screen fits into memory")];
        let info = reader.next_frame(&mut bytes).unwrap_or_else(|e| panic!("a broken picture: {e}"));
        let step = info.color_type.samples();
        assert!(step >= 3, "the picture has no colours: {:?}", info.color_type);
        let rgb = bytes[..info.buffer_size()].chunks_exact(step).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        Picture { width: info.width as usize, height: info.height as usize, rgb }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// The whole.
    pub fn whole(&self) -> Area {
        Area { x: 0, y: 0, width: self.width, height: self.height }
    }

    /// How many different colours an area holds.
    pub fn colours(&self, area: Area) -> usize {
        self.pixels(area).collect::<HashSet<_>>().len()
    }

    /// How many pixels of an area are at most `tolerance` away from a colour in each channel.
    pub fn count_of(&self, area: Area, colour: [u8; 3], tolerance: u8) -> usize {
        self.pixels(area).filter(|pixel| (0..3).all(|i| pixel[i].abs_diff(colour[i]) <= tolerance)).count()
    }

    /// How many pixels of an area differ by more than `tolerance` in any channel; all of them when the sizes differ.
    pub fn differing(&self, other: &Picture, area: Area, tolerance: u8) -> usize {
        if self.size() != other.size() {
            return area.width * area.height;
        }
        let pairs = self.pixels(area).zip(other.pixels(area));
        pairs.filter(|(a, b)| (0..3).any(|i| a[i].abs_diff(b[i]) > tolerance)).count()
    }

    /// The mean colour of an area.
    pub fn mean(&self, area: Area) -> [f64; 3] {
        let (mut sum, mut count) = ([0.0; 3], 0.0_f64);
        for pixel in self.pixels(area) {
            for (sum, channel) in sum.iter_mut().zip(pixel) {
                *sum += f64::from(channel);
            }
            count += 1.0;
        }
        sum.map(|sum| sum / count.max(1.0))
    }

    /// The same picture with these areas in magenta.
    pub fn marked(&self, areas: &[Area]) -> Picture {
        self.marked_with(areas, [255, 0, 255])
    }

    /// The same picture with these areas in one colour.
    pub fn marked_with(&self, areas: &[Area], colour: [u8; 3]) -> Picture {
        let mut marked = Picture { width: self.width, height: self.height, rgb: self.rgb.clone() };
        for area in areas {
            for y in area.y..(area.y + area.height).min(self.height) {
                let row = y * self.width;
                marked.rgb[row + area.x.min(self.width)..row + (area.x + area.width).min(self.width)].fill(colour);
            }
        }
        marked
    }

    /// A picture of one colour.
    pub fn plain(width: usize, height: usize, colour: [u8; 3]) -> Picture {
        Picture { width, height, rgb: vec![colour; width * height] }
    }

    /// The picture as a PNG.
    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let size = |n: usize| u32::try_from(n).expect("a picture of a screen");
        let mut encoder = png::Encoder::new(&mut bytes, size(self.width), size(self.height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().expect("memory can be written");
        writer.write_image_data(&self.rgb.concat()).expect("as many pixels as were said");
        writer.finish().expect("memory can be written");
        bytes
    }

    fn pixels(&self, area: Area) -> impl Iterator<Item = [u8; 3]> + '_ {
        let columns = area.x.min(self.width)..(area.x + area.width).min(self.width);
        let rows = area.y.min(self.height)..(area.y + area.height).min(self.height);
        rows.flat_map(move |y| self.rgb[y * self.width..][columns.clone()].iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 4×2: a red left half, a green right half.
    fn halves() -> Picture {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 4, 2);
        encoder.set_color(png::ColorType::Rgba);
        let row = [[200, 0, 0, 255], [200, 0, 0, 255], [0, 200, 0, 255], [0, 200, 0, 255]].concat();
        encoder.write_header().unwrap().write_image_data(&[row.clone(), row].concat()).unwrap();
        Picture::read(&bytes)
    }

    #[test]
    fn colours_are_counted_where_they_are() {
        let picture = halves();
        assert_eq!(picture.size(), (4, 2));
        for (area, colours, reds) in [
            (picture.whole(), 2, 4),
            (Area { x: 0, y: 0, width: 2, height: 2 }, 1, 4),
            (Area { x: 2, y: 0, width: 2, height: 2 }, 1, 0),
            (Area { x: 1, y: 1, width: 9, height: 9 }, 2, 1),
            (Area::around(0.0, 0.0, 1), 1, 4),
        ] {
            assert_eq!(picture.colours(area), colours, "{area:?}");
            assert_eq!(picture.count_of(area, [195, 0, 5], 5), reds, "{area:?}");
        }
    }

    #[test]
    fn pictures_differ_where_a_colour_does() {
        let (a, mut b) = (halves(), halves());
        assert_eq!(a.differing(&b, a.whole(), 0), 0);
        b.rgb[0] = [203, 0, 0];
        assert_eq!(a.differing(&b, a.whole(), 2), 1);
        assert_eq!(a.differing(&b, a.whole(), 3), 0);
    }
}
