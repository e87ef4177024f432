//! From codes of a key to codes of a field beyond it.

use satchel_data::Codes;

use crate::scan::{Block, Lane};

/// A code by code, as narrow as the largest of them allows, so that more of it stays in cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CodeMap {
    U8(Vec<u8>),
    U16(Vec<u16>),
    U32(Vec<u32>),
}

impl CodeMap {
    pub fn of(codes: &[u32]) -> Self {
        match codes.iter().copied().max().unwrap_or(0) {
            0..=0xff => Self::U8(codes.iter().map(|c| *c as u8).collect()),
            0x100..=0xffff => Self::U16(codes.iter().map(|c| *c as u16).collect()),
            _ => Self::U32(codes.to_vec()),
        }
    }

    /// The code that `code` leads to; none past the end.
    #[inline]
    pub fn get(&self, code: u32) -> Option<u32> {
        let at = code as usize;
        match self {
            Self::U8(map) => map.get(at).copied().map(u32::from),
            Self::U16(map) => map.get(at).copied().map(u32::from),
            Self::U32(map) => map.get(at).copied(),
        }
    }

    /// Where the codes of a block's rows lead to.
    ///
    /// # Panics
    /// If one is past the end.
    pub fn gather(&self, block: &Block<'_>, codes: &Codes, out: &mut Lane) {
        match self {
            Self::U8(map) => block.gather_with(codes, out, |c| map[c as usize].into()),
            Self::U16(map) => block.gather_with(codes, out, |c| map[c as usize].into()),
            Self::U32(map) => block.gather_with(codes, out, |c| map[c as usize]),
        }
    }

    /// The map that follows this one and then `onward`.
    pub fn then(&self, onward: &[u32]) -> Self {
        let codes = (0..self.len() as u32).filter_map(|c| self.get(c));
        Self::of(&codes.map(|c| onward[c as usize]).collect::<Vec<u32>>())
    }

    fn len(&self) -> usize {
        match self {
            Self::U8(map) => map.len(),
            Self::U16(map) => map.len(),
            Self::U32(map) => map.len(),
        }
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        match self {
            Self::U8(map) => map.len(),
            Self::U16(map) => map.len() * 2,
            Self::U32(map) => map.len() * 4,
        }
    }
}
