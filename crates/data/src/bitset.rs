//! Sets of rows and of symbols.

/// A fixed-length set of positions `0..len`, one bit each. Bits past `len` are always zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BitSet {
    words: Vec<u64>,
    len: usize,
}

impl BitSet {
    /// No position is in the set.
    pub fn none(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(64)],
            len,
        }
    }

    /// Every position is in the set.
    pub fn all(len: usize) -> Self {
        let mut set = Self {
            words: vec![u64::MAX; len.div_ceil(64)],
            len,
        };
        set.clear_tail();
        set
    }

    /// The set whose words are `words`; bits past `len` are dropped, missing words are zero.
    pub fn from_words(mut words: Vec<u64>, len: usize) -> Self {
        words.resize(len.div_ceil(64), 0);
        let mut set = Self { words, len };
        set.clear_tail();
        set
    }

    /// The positions whose byte is 1; every byte is 0 or 1.
    pub fn from_flags(flags: &[u8]) -> Self {
        let words = flags.chunks(64).map(|chunk| {
            let mut word = 0;
            for (i, eight) in chunk.chunks(8).enumerate() {
                let mut bytes = [0; 8];
                bytes[..eight.len()].copy_from_slice(eight);
                // Moves bit 8i to bit 56 + i for each i; the products do not meet.
                let bits = u64::from_le_bytes(bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                word |= bits << (8 * i);
            }
            word
        });
        Self {
            words: words.collect(),
            len: flags.len(),
        }
    }

    fn clear_tail(&mut self) {
        if !self.len.is_multiple_of(64)
            && let Some(last) = self.words.last_mut()
        {
            *last &= (1 << (self.len % 64)) - 1;
        }
    }

    /// How many positions there are, in the set or not.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no position at all.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether position `i` is in the set; false past the end.
    #[inline]
    pub fn contains(&self, i: usize) -> bool {
        self.words
            .get(i >> 6)
            .is_some_and(|w| w >> (i & 63) & 1 == 1)
    }

    /// Puts position `i` into the set; whether it was not there yet. Ignored past the end.
    #[inline]
    pub fn insert(&mut self, i: usize) -> bool {
        if i >= self.len {
            return false;
        }
        let (word, bit) = (&mut self.words[i >> 6], 1 << (i & 63));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Puts a range of positions into the set, as far as it is long.
    pub fn insert_range(&mut self, range: std::ops::Range<usize>) {
        let (start, end) = (range.start, range.end.min(self.len));
        if start >= end {
            return;
        }
        let (first, last) = (start >> 6, (end - 1) >> 6);
        let from = u64::MAX << (start & 63);
        let to = u64::MAX >> (63 - ((end - 1) & 63));
        if first == last {
            self.words[first] |= from & to;
            return;
        }
        self.words[first] |= from;
        self.words[first + 1..last].fill(u64::MAX);
        self.words[last] |= to;
    }

    /// Takes position `i` out of the set. Ignored past the end.
    #[inline]
    pub fn remove(&mut self, i: usize) {
        if i < self.len {
            self.words[i >> 6] &= !(1 << (i & 63));
        }
    }

    /// How many positions are in the set.
    pub fn count(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// Whether any position is in the set.
    pub fn any(&self) -> bool {
        self.words.iter().any(|w| *w != 0)
    }

    /// Whether every position is in the set.
    pub fn is_full(&self) -> bool {
        self.count() == self.len
    }

    /// Keeps what is in both. A shorter `other` counts as zero past its end.
    pub fn intersect(&mut self, other: &Self) {
        for (i, w) in self.words.iter_mut().enumerate() {
            *w &= other.words.get(i).copied().unwrap_or(0);
        }
    }

    /// Adds what is in `other`, as far as this set is long.
    pub fn union(&mut self, other: &Self) {
        for (w, o) in self.words.iter_mut().zip(&other.words) {
            *w |= o;
        }
        self.clear_tail();
    }

    /// Takes out what is in `other`.
    pub fn subtract(&mut self, other: &Self) {
        for (w, o) in self.words.iter_mut().zip(&other.words) {
            *w &= !o;
        }
    }

    /// The positions that are not in this set.
    #[must_use]
    pub fn complement(&self) -> Self {
        Self::from_words(self.words.iter().map(|w| !w).collect(), self.len)
    }

    /// Calls `visit` with each position in the set, ascending.
    #[inline]
    pub fn for_each(&self, mut visit: impl FnMut(usize)) {
        for (i, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                visit(i * 64 + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    /// The positions in the set, ascending.
    pub fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(i, &word)| {
            std::iter::successors((word != 0).then_some(word), |w| {
                let rest = w & (w - 1);
                (rest != 0).then_some(rest)
            })
            .map(move |w| i * 64 + w.trailing_zeros() as usize)
        })
    }

    /// The words, 64 positions each, lowest bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words to write to. The caller keeps bits past [`Self::len`] zero.
    pub fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }
}

impl FromIterator<bool> for BitSet {
    fn from_iter<T: IntoIterator<Item = bool>>(iter: T) -> Self {
        let mut words = Vec::new();
        let mut len = 0;
        for bit in iter {
            if len % 64 == 0 {
                words.push(0);
            }
            if let Some(last) = words.last_mut() {
                *last |= u64::from(bit) << (len % 64);
            }
            len += 1;
        }
        Self { words, len }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_vector_of_bools(a in prop::collection::vec(any::<bool>(), 0..200), b in prop::collection::vec(any::<bool>(), 0..200)) {
            let n = a.len().min(b.len());
            let (a, b) = (&a[..n], &b[..n]);
            let (x, y): (BitSet, BitSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            let flags: Vec<u8> = a.iter().map(|v| u8::from(*v)).collect();
            prop_assert_eq!(&BitSet::from_flags(&flags), &x);
            prop_assert_eq!(x.count(), a.iter().filter(|v| **v).count());
            prop_assert_eq!(x.iter().collect::<Vec<_>>(), (0..n).filter(|i| a[*i]).collect::<Vec<_>>());
            let mut visited = Vec::new();
            x.for_each(|i| visited.push(i));
            prop_assert_eq!(visited, x.iter().collect::<Vec<_>>());
            let mut ranged = x.clone();
            ranged.insert_range(n / 3..n / 2 + 70);
            prop_assert_eq!(&ranged, &(0..n).map(|i| a[i] || (n / 3..n / 2 + 70).contains(&i)).collect());
            let mut both = x.clone();
            both.intersect(&y);
            prop_assert_eq!(&both, &a.iter().zip(b).map(|(p, q)| *p && *q).collect());
            let mut either = x.clone();
            either.union(&y);
            prop_assert_eq!(&either, &a.iter().zip(b).map(|(p, q)| *p || *q).collect());
            let mut minus = x.clone();
            minus.subtract(&y);
            prop_assert_eq!(&minus, &a.iter().zip(b).map(|(p, q)| *p && !*q).collect());
            prop_assert_eq!(x.complement(), a.iter().map(|p| !p).collect());
        }
    }
}
