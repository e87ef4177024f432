//! A small app in memory, and a host that opens it.

use std::sync::Arc;

use satchel_base::{SubjectId, UnixMillis};
use satchel_data::{Frame, ModelBuilder, Value, View};
use satchel_engine::Engine;
use satchel_qix::{
    AppContent, AppMeta, ExportFile, ExportRows, Host, Now, OpenApp, OpenFailure, OpenMode,
    Refusal, Reloaded, UserInfo,
};

const REGIONS: [&str; 4] = ["North", "South", "East", "West"];

/// 57 sales in four regions over three years, and a table of managers linked by region.
pub fn engine() -> Arc<Engine> {
    let mut sales = Frame::new("Sales", ["Region", "Year", "Product", "Sales", "Day"]);
    for i in 0..57u32 {
        let region = REGIONS[(i % 4) as usize];
        let year = 2021 + (i / 3) % 3;
        let product = ["Bolt", "Nut", "Screw", "Washer", "Gear"][(i % 5) as usize];
        let day = 44_197 + i * 17;
        sales.push_row(&[
            Value::text(region),
            Value::Num(f64::from(year)),
            Value::text(product),
            Value::Num(f64::from(300 + (i * 137) % 700)),
            Value::dual(f64::from(day), format!("D{day}")),
        ]);
    }
    let mut managers = Frame::new("Managers", ["Region", "Manager"]);
    for (region, manager) in [
        ("North", "Nina"),
        ("South", "Sam"),
        ("East", "Eve"),
        ("West", "Will"),
    ] {
        managers.push_row(&[Value::text(region), Value::text(manager)]);
    }
    let model = ModelBuilder::new().table(sales).table(managers).build();
    let model = model.expect("a model of 57 rows fits");
    Engine::new(Arc::new(View::unrestricted(Arc::new(model))))
}

/// What the app holds beside its data.
pub const CONTENT: &str = include_str!("content.json");

pub fn meta() -> AppMeta {
    let mut meta = AppMeta::new(
        "11111111-1111-4111-8111-111111111111",
        "Sales",
        SubjectId::new("LOCAL", "ann"),
    );
    meta.description = "Sales by region and year".to_owned();
    meta.created = Some(UnixMillis(1_767_225_600_000));
    meta.modified = meta.created;
    meta.last_reload = meta.created;
    meta.may_edit = true;
    meta.may_export = true;
    meta
}

/// Opens one app, refuses all others, and counts its ids instead of drawing them.
pub struct TestHost {
    engine: Arc<Engine>,
    content: Arc<AppContent>,
    next: u8,
}

impl TestHost {
    pub fn new() -> Self {
        Self {
            engine: engine(),
            content: Arc::new(AppContent::from_json(CONTENT).expect("content.json reads")),
            next: 0,
        }
    }
}

impl Host for TestHost {
    fn doc_list(&mut self) -> Vec<AppMeta> {
        vec![meta()]
    }

    fn open(&mut self, app: &str, mode: OpenMode) -> Result<OpenApp, OpenFailure> {
        if app != meta().id {
            return Err(OpenFailure::AccessDenied);
        }
        let engine = match mode {
            OpenMode::WithData => self.engine.clone(),
            OpenMode::NoData => Engine::new(Arc::new(View::unrestricted(Arc::default()))),
        };
        Ok(OpenApp {
            engine,
            content: self.content.clone(),
            meta: meta(),
        })
    }

    fn save(&mut self, _app: &str, content: &AppContent) -> Result<(), Refusal> {
        self.content = Arc::new(content.clone());
        Ok(())
    }

    fn reload(&mut self, _: &str, _: &AppContent, _: bool) -> Result<Reloaded, Refusal> {
        Err(Refusal::NotHere)
    }

    /// The "address" is the file itself, so that conversations show it.
    fn export(&mut self, file: &ExportFile, rows: &mut ExportRows<'_>) -> Result<String, Refusal> {
        let mut text = format!("{}.{}", file.name, file.kind.extension());
        text += &format!("|{}", file.columns.join(";"));
        for row in rows {
            let row = row.map_err(|stop| Refusal::Failed {
                message: stop.to_string(),
            })?;
            let cells: Vec<String> = row
                .iter()
                .map(|c| match c.num {
                    Some(n) => format!("{}#{n}", c.text),
                    None => c.text.clone(),
                })
                .collect();
            text += &format!("|{}", cells.join(";"));
        }
        Ok(text)
    }

    fn user(&self) -> UserInfo {
        UserInfo {
            id: SubjectId::new("LOCAL", "ann"),
            name: "Ann".to_owned(),
        }
    }

    fn now(&self) -> Now {
        Now {
            utc: UnixMillis(1_790_000_000_000),
            offset_minutes: 0,
        }
    }

    fn fill_random(&mut self, bytes: &mut [u8]) {
        self.next = self.next.wrapping_add(1);
        bytes.fill(self.next);
    }

    fn product_version(&self) -> String {
        "0.1.0".to_owned()
    }
}
