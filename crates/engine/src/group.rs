//! Numbering the groups of a cube.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;
use satchel_base::{Budget, Stop};

use crate::dimension::Dim;
use crate::scan::Lane;

/// At most so many groups are numbered by multiplication; more are hashed. 1 Mi groups of
/// 16 bytes fit a third-level cache.
const MAX_DENSE: u128 = 1 << 20;

/// Tuples that no number of 128 bits tells apart, by the order in which they came.
#[derive(Default)]
pub(crate) struct WideTuples {
    keys: FxHashMap<Vec<u32>, u128>,
    tuples: Vec<Vec<u32>>,
}

/// How tuples become keys and back: digits of a number, or, where that would not fit, their
/// place among the tuples seen.
#[derive(Clone)]
pub(crate) struct KeySpace {
    /// Codes a dimension has, NULL's included.
    radixes: Vec<u128>,
    wide: Option<Rc<RefCell<WideTuples>>>,
}

impl KeySpace {
    /// The key of a tuple.
    pub fn key(&self, codes: impl Iterator<Item = u32>) -> u128 {
        if let Some(wide) = &self.wide {
            let WideTuples { keys, tuples } = &mut *wide.borrow_mut();
            let tuple: Vec<u32> = codes.collect();
            let next = tuples.len() as u128;
            return *keys.entry(tuple).or_insert_with_key(|tuple| {
                tuples.push(tuple.clone());
                next
            });
        }
        let mut key = 0u128;
        for (code, radix) in codes.zip(&self.radixes) {
            key = key * radix + u128::from(code);
        }
        key
    }

    /// The codes of a key, appended.
    pub fn decode(&self, mut key: u128, out: &mut Vec<u32>) {
        if let Some(wide) = &self.wide {
            if let Some(tuple) = wide.borrow().tuples.get(key as usize) {
                out.extend_from_slice(tuple);
            }
            return;
        }
        let start = out.len();
        for radix in self.radixes.iter().rev() {
            out.push((key % radix) as u32);
            key /= radix;
        }
        out[start..].reverse();
    }
}

/// Numbers tuples of dimension codes.
pub(crate) struct Grouper {
    space: KeySpace,
    kind: Kind,
}

enum Kind {
    /// The number of a group is its key.
    Dense { seen: Vec<u8> },
    Hashed {
        numbers: FxHashMap<u128, u32>,
        keys: Vec<u128>,
    },
}

impl Grouper {
    /// Groups over `dims`; `wide` is shared by all groupers whose keys are compared.
    pub fn new(
        dims: &[&Dim],
        wide: &Rc<RefCell<WideTuples>>,
        budget: &Budget,
    ) -> Result<Self, Stop> {
        let radixes: Vec<u128> = dims.iter().map(|d| d.n_codes as u128 + 1).collect();
        let product = radixes.iter().try_fold(1u128, |p, r| p.checked_mul(*r));
        let space = KeySpace {
            radixes,
            wide: product.is_none().then(|| wide.clone()),
        };
        let product = product.unwrap_or(u128::MAX);
        let kind = if product <= MAX_DENSE {
            budget.charge_bytes(product as u64)?;
            Kind::Dense {
                seen: vec![0; product as usize],
            }
        } else {
            Kind::Hashed {
                numbers: FxHashMap::default(),
                keys: Vec::new(),
            }
        };
        Ok(Self { space, kind })
    }

    /// One more than the largest number given out.
    pub fn len(&self) -> usize {
        match &self.kind {
            Kind::Dense { seen } => seen.len(),
            Kind::Hashed { keys, .. } => keys.len(),
        }
    }

    /// The number of one tuple.
    pub fn number(&mut self, codes: &[u32]) -> u32 {
        let key = self.space.key(codes.iter().copied());
        self.number_of_key(key)
    }

    fn number_of_key(&mut self, key: u128) -> u32 {
        match &mut self.kind {
            Kind::Dense { seen } => {
                seen[key as usize] = 1;
                key as u32
            }
            Kind::Hashed { numbers, keys } => {
                let next = keys.len() as u32;
                let number = *numbers.entry(key).or_insert(next);
                if number == next {
                    keys.push(key);
                }
                number
            }
        }
    }

    /// Whether the number of a tuple of `n_dims` codes is its only code.
    pub fn are_codes(&self, n_dims: usize) -> bool {
        n_dims == 1 && matches!(self.kind, Kind::Dense { .. })
    }

    /// The numbers of `n` tuples, one lane a dimension; only noted where they are the codes
    /// themselves.
    pub fn numbers(&mut self, lanes: &[Lane], n: usize, out: &mut Lane) {
        match &mut self.kind {
            Kind::Dense { seen } => {
                let out = &mut out[..n];
                match lanes {
                    [] => {
                        out.fill(0);
                        seen[0] = 1;
                    }
                    // The codes are the numbers; see `Self::are_codes`.
                    [lane] => {
                        for code in &lane[..out.len()] {
                            seen[*code as usize] = 1;
                        }
                    }
                    [first, rest @ ..] => {
                        out.copy_from_slice(&first[..n]);
                        for (lane, radix) in rest.iter().zip(&self.space.radixes[1..]) {
                            let radix = *radix as u32;
                            for (number, code) in out.iter_mut().zip(lane) {
                                *number = *number * radix + code;
                            }
                        }
                        for number in out {
                            seen[*number as usize] = 1;
                        }
                    }
                }
            }
            Kind::Hashed { .. } => {
                for i in 0..n {
                    let key = self.space.key(lanes.iter().map(|l| l[i]));
                    out[i] = self.number_of_key(key);
                }
            }
        }
    }

    /// The groups that were numbered: number and key.
    pub fn groups(&self) -> Vec<(u32, u128)> {
        match &self.kind {
            Kind::Dense { seen } => seen
                .iter()
                .enumerate()
                .filter(|(_, s)| **s != 0)
                .map(|(i, _)| (i as u32, i as u128))
                .collect(),
            Kind::Hashed { keys, .. } => (0..).zip(keys.iter().copied()).collect(),
        }
    }

    /// How its keys are made.
    pub fn key_space(&self) -> KeySpace {
        self.space.clone()
    }
}
