//! What was made lately: cubes, so that a layout and the pages fetched after it calculate once,
//! and how numbers and dates are written.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use satchel_calc::Locale;
use satchel_engine::{CalcError, Cube, CubeDef, Selections};

use crate::doc::Doc;
use crate::doc::items::text;
use crate::host::Now;
use crate::layout::cube_def::WireCube;

/// How many cubes are kept: those of a full sheet.
const MAX_CUBES: usize = 32;

/// Cubes with more rows than this are calculated again rather than kept.
const MAX_ROWS: usize = 200_000;

/// All that the result of a cube depends on.
#[derive(PartialEq)]
struct Key {
    def: CubeDef,
    state: String,
    selections: Selections,
    /// Set expressions may look at steps of the history.
    steps: (usize, usize),
    variables: Vec<(String, String)>,
    /// Expressions may read the time; a minute is near enough.
    minute: i64,
}

/// The variables a locale was read from, and the locale.
type LocaleRead = (Vec<Option<String>>, Arc<Locale>);

/// See the module.
#[derive(Default)]
pub(crate) struct Cache {
    cubes: Mutex<VecDeque<(Key, Arc<Cube>)>>,
    /// With the variables it was read from.
    locale: Mutex<Option<LocaleRead>>,
}

impl Cache {
    /// How numbers and dates are written, as the variables say now.
    pub fn locale(&self, doc: &Doc) -> Arc<Locale> {
        let texts: Vec<Option<String>> = Locale::variables()
            .iter()
            .map(|name| satchel_engine::Lookup::variable(doc, name))
            .collect();
        let mut kept = self.locale.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, locale)) = &*kept
            && *of == texts
        {
            return locale.clone();
        }
        let mut locale = Locale::default();
        for (name, text) in Locale::variables().iter().zip(&texts) {
            if let Some(text) = text {
                locale.set(name, text);
            }
        }
        let locale = Arc::new(locale);
        *kept = Some((texts, locale.clone()));
        locale
    }

    /// The cube of `wire` as things are now.
    pub fn cube(
        &self,
        doc: &Doc,
        wire: &WireCube,
        now: Now,
        calculate: impl FnOnce() -> Result<Cube, CalcError>,
    ) -> Result<Arc<Cube>, CalcError> {
        let key = Key {
            def: wire.def.clone(),
            state: wire.state.clone(),
            selections: doc.history.current().clone(),
            steps: (doc.history.n_back(), doc.history.n_forward()),
            variables: doc
                .items
                .variables
                .iter()
                .map(|v| (text(v, "qName"), text(v, "qDefinition")))
                .collect(),
            minute: now.utc.0.div_euclid(60_000),
        };
        let mut cubes = self.cubes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, cube)) = cubes.iter().find(|(k, _)| *k == key) {
            return Ok(cube.clone());
        }
        let cube = Arc::new(calculate()?);
        if cube.n_rows() <= MAX_ROWS {
            cubes.push_back((key, cube.clone()));
            if cubes.len() > MAX_CUBES {
                cubes.pop_front();
            }
        }
        Ok(cube)
    }
}
