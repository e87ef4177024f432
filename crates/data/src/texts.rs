//! Texts of a growing dictionary, end to end.

/// One entry a value; an absent text means that the value shows as its number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Texts {
    /// Where each ends.
    ends: Vec<usize>,
    /// Which values have a text of their own; one may be empty.
    own: Vec<bool>,
    bytes: String,
}

impl Texts {
    /// `n` values without texts.
    pub fn without(n: usize) -> Self {
        Self {
            ends: vec![0; n],
            own: vec![false; n],
            bytes: String::new(),
        }
    }

    /// Takes over texts that lie end to end. What is not UTF-8 is replaced.
    pub fn from_raw(ends: Vec<usize>, own: Vec<bool>, bytes: Vec<u8>) -> Self {
        match String::from_utf8(bytes) {
            Ok(bytes) => Self { ends, own, bytes },
            Err(error) => {
                let (mut out, mut start) = (Self::default(), 0);
                for (end, own) in ends.iter().zip(&own) {
                    let text = String::from_utf8_lossy(&error.as_bytes()[start..*end]);
                    out.push(own.then_some(&*text));
                    start = *end;
                }
                out
            }
        }
    }

    /// Appends a value's text.
    pub fn push(&mut self, text: Option<&str>) {
        self.bytes.push_str(text.unwrap_or_default());
        self.ends.push(self.bytes.len());
        self.own.push(text.is_some());
    }

    /// The text of value `at`, if it has one.
    #[inline]
    pub fn own(&self, at: usize) -> Option<&str> {
        if !*self.own.get(at)? {
            return None;
        }
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..self.ends[at])
    }

    /// Where each ends, which values have one, and all end to end.
    pub fn into_raw(self) -> (Vec<usize>, Vec<bool>, String) {
        (self.ends, self.own, self.bytes)
    }
}
