//! Whole numbers in as few bytes as they need (LEB128; signed ones in zigzag), and a checksum around them.

use xxhash_rust::xxh3::xxh3_64;

use super::Damaged;

/// The longest LEB128 of 64 bits.
const VARINT_MAX: usize = 10;

/// Bytes before what is [`sealed`].
const SEAL: usize = 5;

pub(crate) fn put_unsigned(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, n: i64) {
    put_unsigned(out, (n << 1 ^ n >> 63).cast_unsigned());
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn byte(&mut self) -> Result<u8, Damaged> {
        let (first, rest) = self.0.split_first().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*first)
    }

    pub fn unsigned(&mut self) -> Result<u64, Damaged> {
        let mut n = 0;
        for (at, byte) in self.0.iter().take(VARINT_MAX).enumerate() {
            n |= u64::from(byte & 0x7f) << (7 * at as u32);
            if byte & 0x80 == 0 {
                self.0 = self.0.get(at + 1..).unwrap_or_default();
                return Ok(n);
            }
        }
        Err(Damaged)
    }

    pub fn signed(&mut self) -> Result<i64, Damaged> {
        let n = self.unsigned()?;
        Ok((n >> 1).cast_signed() ^ -(n & 1).cast_signed())
    }

    /// A count of things that take at least a bit each, so that a damaged one cannot ask for all the memory.
    pub fn count(&mut self) -> Result<usize, Damaged> {
        usize::try_from(self.unsigned()?).map_err(|_| Damaged)
    }

    pub fn take(&mut self, bytes: usize) -> Result<&'a [u8], Damaged> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Room for the version and the checksum, to be filled by [`seal`].
pub(crate) fn unsealed(version: u8) -> Vec<u8> {
    vec![version, 0, 0, 0, 0]
}

/// Writes the checksum of everything behind it.
pub(crate) fn seal(bytes: &mut [u8]) {
    if let Some((head, body)) = bytes.split_at_mut_checked(SEAL)
        && let Some(place) = head.last_chunk_mut::<4>()
    {
        *place = checksum(body);
    }
}

/// What was sealed by this version, if it is whole.
pub(crate) fn sealed(bytes: &[u8], version: u8) -> Result<Input<'_>, Damaged> {
    let mut input = Input(bytes);
    let (found, sum) = (input.byte()?, input.array::<4>()?);
    if found == version && sum == checksum(input.0) { Ok(input) } else { Err(Damaged) }
}

fn checksum(bytes: &[u8]) -> [u8; 4] {
    (xxh3_64(bytes) as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back_as_they_were(numbers: Vec<(u64, i64)>) {
            let mut out = Vec::new();
            for (unsigned, signed) in &numbers {
                put_unsigned(&mut out, *unsigned);
                put_signed(&mut out, *signed);
            }
            let mut input = Input(&out);
            for pair in numbers {
                prop_assert_eq!((input.unsigned(), input.signed()), (Ok(pair.0), Ok(pair.1)));
            }
            prop_assert!(input.is_empty());
        }

        #[test]
        fn a_flipped_bit_is_noticed(body: Vec<u8>, at: prop::sample::Index, bit in 0_u32..8) {
            let mut bytes = unsealed(1);
            bytes.extend(body);
            seal(&mut bytes);
            prop_assert!(sealed(&bytes, 1).is_ok());
            let at = at.index(bytes.len());
            bytes[at] ^= 1_u8 << bit;
            prop_assert!(sealed(&bytes, 1).is_err());
        }
    }

    #[test]
    fn a_number_without_an_end_is_damage() {
        assert_eq!(Input(&[0x80; 20]).unsigned(), Err(Damaged));
        assert_eq!(Input(&[0x80]).unsigned(), Err(Damaged));
    }
}
