//! Searching all fields for several terms, and which hits belong together.
//!
//! A *match* gives each of some terms to a field that has values for it, so that these values
//! occur together. Two terms in one field mean the values that fit both, or if there are none
//! those that fit one of them. Matches come with the most terms first, then with the fewest
//! fields, then in the order of terms and fields; that order numbers them, so it depends on
//! nothing but the view, the terms and the selections they are searched under.
//!
//! Rules: public documentation of SearchAssociations and SearchResults.

use std::sync::Arc;

use satchel_base::{Budget, Stop};
use satchel_data::{BitSet, FieldId};

use crate::inference::{FieldStates, Inference};
use crate::search::Search;
use crate::{Engine, StateSelections};

/// The most terms of one search: with more, the ways to give them to fields are too many to
/// be read by anybody.
pub const MAX_TERMS: usize = 8;

/// The most matches of one search. Nobody pages further.
const MAX_MATCHES: usize = 1_000;

/// The most ways to give terms to fields that are looked at.
const MAX_TRIED: usize = 2_000;

/// Values of some fields that occur together and fit some of the terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The fields, in the order of their first terms.
    pub fields: Vec<FieldMatch>,
}

/// The values of one field in a [`Match`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldMatch {
    /// The field.
    pub field: FieldId,
    /// The terms it was given, by position, ascending.
    pub terms: Vec<usize>,
    /// Codes of the values, by element number; never empty.
    pub codes: Vec<u32>,
}

impl Match {
    /// The positions of all its terms, ascending.
    pub fn terms(&self) -> Vec<usize> {
        let mut terms: Vec<usize> = self.fields.iter().flat_map(|f| f.terms.clone()).collect();
        terms.sort_unstable();
        terms
    }
}

/// What each term finds in one field; fields without any hit are left out.
struct Hits {
    field: FieldId,
    component: Option<usize>,
    by_term: Vec<BitSet>,
}

impl Engine {
    /// The values of a field that fit any of the terms and are possible under `base`, as codes
    /// by element number, each with the terms it fits.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn values_with_terms(
        &self,
        field: FieldId,
        terms: &[String],
        base: &Arc<StateSelections>,
        budget: &Budget,
    ) -> Result<Vec<(u32, Vec<usize>)>, Stop> {
        let hits = self.hits(field, terms, base, budget)?;
        let mut found = Vec::new();
        for code in self.view().codes(field).iter() {
            let fits: Vec<usize> = (0..terms.len())
                .filter(|t| hits[*t].contains(*code as usize))
                .collect();
            if !fits.is_empty() {
                found.push((*code, fits));
            }
        }
        Ok(found)
    }

    /// By term, the values of a field that fit it and are possible under `base`.
    fn hits(
        &self,
        field: FieldId,
        terms: &[String],
        base: &Arc<StateSelections>,
        budget: &Budget,
    ) -> Result<Vec<BitSet>, Stop> {
        let view = self.view();
        let n = self.core.n_symbols(field);
        budget.charge_rows(view.cardinality(field) as u64)?;
        budget.charge_bytes((terms.len() as u64) * (n as u64 / 8 + 1))?;
        let searches: Vec<Search> = terms.iter().map(|t| Search::term(t)).collect();
        let possible = if base.is_empty() {
            None
        } else {
            Some(self.field_states(base, field, budget)?.possible())
        };
        let mut by_term = vec![BitSet::none(n); terms.len()];
        for (i, code) in view.codes(field).iter().enumerate() {
            if i % 4096 == 0 {
                budget.check()?;
            }
            if possible
                .as_ref()
                .is_some_and(|p| !p.contains(*code as usize))
            {
                continue;
            }
            let (text, num) = (view.text(field, *code), view.num(field, *code));
            for (search, set) in searches.iter().zip(&mut by_term) {
                if !search.is_empty() && search.matches(&text, num) {
                    set.insert(*code as usize);
                }
            }
        }
        Ok(by_term)
    }

    /// The matches of `terms` in `fields` on top of `base`, numbered by their place. Terms
    /// beyond [`MAX_TERMS`] are not looked at: refuse them before.
    ///
    /// # Errors
    /// [`Stop`] when the budget ends.
    pub fn associations(
        &self,
        fields: &[FieldId],
        terms: &[String],
        base: &Arc<StateSelections>,
        budget: &Budget,
    ) -> Result<Vec<Match>, Stop> {
        let terms = &terms[..terms.len().min(MAX_TERMS)];
        let mut all = Vec::new();
        for field in fields {
            let by_term = self.hits(*field, terms, base, budget)?;
            if by_term.iter().any(BitSet::any) {
                all.push(Hits {
                    field: *field,
                    component: self.core.home(*field).map(|(t, _)| self.core.component(t)),
                    by_term,
                });
            }
        }
        let mut subsets: Vec<Vec<usize>> = (1u32..1 << terms.len())
            .map(|mask| (0..terms.len()).filter(|t| mask >> t & 1 == 1).collect())
            .collect();
        subsets.sort_by(|a: &Vec<usize>, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        let mut matches = Vec::new();
        let mut tried = 0;
        // Subsets of one size go together: fewer fields come first among them.
        for size in (1..=terms.len()).rev() {
            let mut ways = Vec::new();
            for subset in subsets.iter().filter(|s| s.len() == size) {
                let all: Vec<(usize, &Hits)> = complete(&all, subset);
                give(&all, subset, &mut Vec::new(), &mut ways, MAX_TRIED - tried);
            }
            tried = (tried + ways.len()).min(MAX_TRIED);
            ways.sort_by_key(|(_, way)| {
                let mut used: Vec<usize> = way.clone();
                used.sort_unstable();
                used.dedup();
                used.len()
            });
            for (subset, way) in ways {
                if matches.len() == MAX_MATCHES {
                    return Ok(matches);
                }
                matches.extend(self.verified(&all, &subset, &way, base, budget)?);
            }
        }
        Ok(matches)
    }

    /// The match of terms given to fields, if its values occur together.
    fn verified(
        &self,
        all: &[Hits],
        terms: &[usize],
        way: &[usize],
        base: &Arc<StateSelections>,
        budget: &Budget,
    ) -> Result<Option<Match>, Stop> {
        let mut given: Vec<(usize, Vec<usize>)> = Vec::new();
        for (term, hit) in terms.iter().zip(way) {
            match given.iter_mut().find(|(h, _)| h == hit) {
                Some((_, terms)) => terms.push(*term),
                None => given.push((*hit, vec![*term])),
            }
        }
        let mut selections = (**base).clone();
        let mut wanted = Vec::new();
        for (hit, terms) in &given {
            let hits = &all[*hit];
            let mut codes = hits.by_term[terms[0]].clone();
            terms[1..]
                .iter()
                .for_each(|t| codes.intersect(&hits.by_term[*t]));
            if !codes.any() {
                terms.iter().for_each(|t| codes.union(&hits.by_term[*t]));
            }
            selections.set(hits.field, codes.clone());
            wanted.push(codes);
        }
        // Values of one field under selections that were made already need no second look.
        let alone = given.len() == 1;
        let inference = Inference::new(self.core.clone(), self.known.clone(), Arc::new(selections));
        let mut fields = Vec::new();
        for ((hit, terms), mut codes) in given.into_iter().zip(wanted) {
            let hits = &all[hit];
            if !alone {
                let states = FieldStates {
                    without_own: inference.possible_here(hits.field, budget)?,
                    selected: None,
                    locked: false,
                };
                codes.intersect(&states.without_own);
            }
            let each_fits = terms.iter().all(|t| {
                let mut fits = codes.clone();
                fits.intersect(&hits.by_term[*t]);
                fits.any()
            });
            if !each_fits {
                return Ok(None);
            }
            let view = self.view();
            let in_order = view.codes(hits.field);
            let codes = in_order
                .iter()
                .copied()
                .filter(|c| codes.contains(*c as usize))
                .collect();
            fields.push(FieldMatch {
                field: hits.field,
                terms,
                codes,
            });
        }
        Ok(Some(Match { fields }))
    }

    /// Whether two fields lie in tables that hang together by keys.
    pub fn hang_together(&self, a: FieldId, b: FieldId) -> bool {
        let component = |f| self.core.home(f).map(|(t, _)| self.core.component(t));
        component(a).is_some() && component(a) == component(b)
    }

    /// `base` with the values of a match selected. Locked fields stay as they are.
    pub fn with_match(&self, base: &Arc<StateSelections>, found: &Match) -> StateSelections {
        let mut next = (**base).clone();
        for part in &found.fields {
            if next.is_locked(part.field) {
                continue;
            }
            let mut codes = BitSet::none(self.core.n_symbols(part.field));
            part.codes.iter().for_each(|c| {
                codes.insert(*c as usize);
            });
            next.set(part.field, codes);
        }
        next
    }
}

/// A choice of terms with the hits each was given to.
type Way = (Vec<usize>, Vec<usize>);

/// Hits in tables where each of `terms` has one, with their places: only from these is there a
/// way to the end, so that whoever begins one gets there.
fn complete<'a>(all: &'a [Hits], terms: &[usize]) -> Vec<(usize, &'a Hits)> {
    let hit_by = |hits: &Hits, term: usize| hits.by_term[term].any();
    all.iter()
        .enumerate()
        .filter(|(_, hits)| {
            terms.iter().all(|term| {
                all.iter()
                    .any(|other| other.component == hits.component && hit_by(other, *term))
            })
        })
        .collect()
}

/// All ways to give each of `terms` to hits of tables that hang together, at most `most` in
/// all of `ways`.
fn give(
    all: &[(usize, &Hits)],
    terms: &[usize],
    way: &mut Vec<usize>,
    ways: &mut Vec<Way>,
    most: usize,
) {
    if ways.len() >= most {
        return;
    }
    let Some(term) = terms.get(way.len()) else {
        ways.push((terms.to_vec(), way.clone()));
        return;
    };
    let component = way
        .first()
        .and_then(|first| all.iter().find(|(i, _)| i == first))
        .map(|(_, hits)| hits.component);
    for (i, hits) in all {
        let together = component.is_none_or(|c| c == hits.component);
        if together && hits.by_term[*term].any() {
            way.push(*i);
            give(all, terms, way, ways, most);
            way.pop();
        }
    }
}
