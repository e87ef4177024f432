//! Which rows stay possible when values are selected in some fields.
//!
//! A row stays if some row of the full outer join of all linked tables contains it and has a
//! selected value in every constrained field. Tables and the keys they share form a tree, so
//! two passes over it are exact. Loose tables keep or lose rows by their own columns only.

use satchel_data::{BitSet, FieldId, Model, TableId};

/// Rows by table; none where a table is untouched.
pub(crate) fn possible_rows(model: &Model, wanted: &[(FieldId, BitSet)]) -> Vec<Option<BitSet>> {
    let mut rows = own_rows(model, wanted);
    let graph = Graph::new(model);
    let constrained: Vec<bool> = rows.iter().map(Option::is_some).collect();
    let mut order = Vec::new();
    let mut parent: Vec<Option<(usize, FieldId)>> = vec![None; rows.len()];
    let mut seen = vec![false; rows.len()];
    for start in 0..rows.len() {
        if seen[start] || model.tables()[start].loose {
            continue;
        }
        seen[start] = true;
        let first = order.len();
        order.push(start);
        let mut next = first;
        while let Some(table) = order.get(next).copied() {
            next += 1;
            for (key, tables) in graph.keys_of(table) {
                for other in tables {
                    if !seen[*other] {
                        seen[*other] = true;
                        parent[*other] = Some((table, *key));
                        order.push(*other);
                    }
                }
            }
        }
    }
    let is_wanted = |key: FieldId| wanted.iter().any(|(f, _)| *f == key);
    // Whether something beyond a table's link to its parent constrains it. A constraint on a
    // key itself holds in every table that has the key, and asks for no partner.
    let inner = |t: usize, via: Option<FieldId>| {
        constrained[t]
            && model.tables()[t]
                .columns
                .iter()
                .any(|c| is_wanted(c.field) && Some(c.field) != via)
    };
    let mut below: Vec<bool> = (0..rows.len())
        .map(|t| inner(t, parent[t].map(|p| p.1)))
        .collect();
    let children = |t: usize| -> Vec<(usize, FieldId)> {
        let links = parent.iter().enumerate();
        links
            .filter_map(|(c, p)| p.and_then(|(up, key)| (up == t).then_some((c, key))))
            .collect()
    };
    let children: Vec<Vec<(usize, FieldId)>> = (0..rows.len()).map(children).collect();
    for table in order.iter().rev().copied() {
        for (child, key) in &children[table] {
            if below[*child] {
                let codes = codes_of(model, *child, *key, rows[*child].as_ref());
                narrow(model, table, *key, &codes, &mut rows);
                below[table] = true;
            }
        }
    }
    // From the roots down. What reaches a child through a key is what its parent kept, or,
    // where nothing but the siblings of the same key constrains it, what these kept.
    let mut above = vec![false; rows.len()];
    for table in order.iter().copied() {
        for (child, key) in &children[table] {
            let siblings = children[table]
                .iter()
                .filter(|(c, k)| c != child && k == key)
                .any(|(c, _)| below[*c]);
            let others = children[table].iter().any(|(c, k)| k != key && below[*c]);
            let through = inner(table, Some(*key)) || others || above[table];
            if through {
                let codes = codes_of(model, table, *key, rows[table].as_ref());
                narrow(model, *child, *key, &codes, &mut rows);
            } else if siblings {
                for (sibling, _) in children[table]
                    .iter()
                    .filter(|(c, k)| c != child && k == key && below[*c])
                {
                    let codes = codes_of(model, *sibling, *key, rows[*sibling].as_ref());
                    narrow(model, *child, *key, &codes, &mut rows);
                }
            }
            above[*child] = through || siblings;
        }
    }
    rows
}

/// Rows that pass the constraints on their own columns.
fn own_rows(model: &Model, wanted: &[(FieldId, BitSet)]) -> Vec<Option<BitSet>> {
    let mut rows: Vec<Option<BitSet>> = vec![None; model.tables().len()];
    for (field, codes) in wanted {
        for (table, _) in &model.field(*field).columns {
            narrow(model, table.index(), *field, codes, &mut rows);
        }
    }
    rows
}

/// Up to this part of a key's codes, their rows are found through an index, which is kept for the
/// next subject; beyond it, all rows are passed over.
const MOST_LOOKED_UP: usize = 4;

/// Keeps the rows of `table` whose `key` is in `codes`; NULL is in none.
fn narrow(model: &Model, table: usize, key: FieldId, codes: &BitSet, rows: &mut [Option<BitSet>]) {
    let data = model.table(TableId(table as u32));
    let Some(at) = data.column_of(key) else {
        return;
    };
    let is_key = model.field(key).columns.len() > 1;
    let mut kept = if is_key && codes.count() <= codes.len() / MOST_LOOKED_UP {
        let index = model.key_index(TableId(table as u32), at);
        index.rows_of(codes, data.n_rows)
    } else {
        let mut kept = BitSet::none(data.n_rows);
        let words = kept.words_mut();
        // Blocks begin with a word.
        data.columns[at].codes.for_each_block(|start, block| {
            for (word, codes_of_word) in words[start / 64..].iter_mut().zip(block.chunks(64)) {
                for (i, code) in codes_of_word.iter().enumerate() {
                    *word |= u64::from(codes.contains(*code as usize)) << i;
                }
            }
        });
        kept
    };
    if let Some(before) = &rows[table] {
        kept.intersect(before);
    }
    rows[table] = Some(kept);
}

/// The codes of `key` in the rows kept of `table`, without NULL.
fn codes_of(model: &Model, table: usize, key: FieldId, rows: Option<&BitSet>) -> BitSet {
    let data = model.table(TableId(table as u32));
    let mut codes = BitSet::none(model.field(key).symbols.len());
    if let Some(at) = data.column_of(key) {
        let column = &*data.columns[at].codes;
        match rows {
            None => column.for_each_block(|_, block| {
                block.iter().for_each(|code| {
                    codes.insert(*code as usize);
                });
            }),
            Some(rows) => rows.for_each(|row| {
                codes.insert(column.at(row) as usize);
            }),
        }
    }
    codes
}

/// The keys of each table and the tables they link.
struct Graph {
    keys: Vec<Vec<(FieldId, Vec<usize>)>>,
}

impl Graph {
    fn new(model: &Model) -> Self {
        let keys = model.tables().iter().map(|table| {
            if table.loose {
                return Vec::new();
            }
            let links = table.columns.iter().map(|c| {
                let tables = model
                    .links(c.field)
                    .iter()
                    .map(|(t, _)| t.index())
                    .collect();
                (c.field, tables)
            });
            links
                .filter(|(_, tables): &(_, Vec<usize>)| !tables.is_empty())
                .collect()
        });
        Self {
            keys: keys.collect(),
        }
    }

    fn keys_of(&self, table: usize) -> &[(FieldId, Vec<usize>)] {
        &self.keys[table]
    }
}
