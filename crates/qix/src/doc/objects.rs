//! Generic objects of an app and of the session, as one set of nodes.

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use crate::content::{Entity, ObjectTree, Properties};
use crate::errors::RpcError;
use crate::patch::{Patch, patched};

/// One object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub entity: Entity,
    /// Belongs to the session and is never saved.
    pub session: bool,
    pub parent: Option<String>,
    pub children: Vec<String>,
    /// Changes only this session sees.
    pub soft: Vec<Patch>,
    /// What the session did at the lists and cubes of the object, by path.
    pub paths: FxHashMap<String, PathState>,
}

/// What a session did at one list or cube.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PathState {
    /// What a list is searched for.
    pub search: Option<String>,
    /// Steps taken down in drill-down and cyclic dimensions, by dimension.
    pub active: FxHashMap<usize, usize>,
    /// Values expanded in a pivot table, as paths of element numbers.
    pub left: Vec<Vec<i64>>,
    pub top: Vec<Vec<i64>>,
}

impl Node {
    pub fn id(&self) -> &str {
        self.entity.id()
    }

    /// Whether both say the same, but for what only the session sees.
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.entity == other.entity
            && self.session == other.session
            && self.parent == other.parent
            && self.children == other.children
    }

    /// The properties with the session's own changes.
    pub fn effective(&self) -> Result<Properties, RpcError> {
        if self.soft.is_empty() {
            return Ok(self.entity.properties.clone());
        }
        patched(&self.entity.properties, &self.soft)
    }
}

/// All objects by id, and the roots in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects {
    nodes: FxHashMap<String, Node>,
    /// Every id, in the order things were added.
    order: Vec<String>,
}

impl Objects {
    /// The objects of an app. One without an id, or with an id seen before, gets a new one
    /// from its place.
    pub fn from_trees(trees: Vec<ObjectTree>) -> Self {
        let mut objects = Self::default();
        for tree in trees {
            objects.add_tree(tree, None, false, &mut || String::new());
        }
        objects
    }

    /// Adds a tree below `parent`; returns the id of its root. `make_id` gives the ids of
    /// objects that have none (an empty one means: number them).
    pub fn add_tree(
        &mut self,
        tree: ObjectTree,
        parent: Option<&str>,
        session: bool,
        make_id: &mut dyn FnMut() -> String,
    ) -> String {
        let mut entity = tree.object;
        let mut id = entity.id().to_owned();
        if id.is_empty() || self.nodes.contains_key(&id) {
            id = make_id();
            let mut n = self.order.len() + 1;
            while id.is_empty() || self.nodes.contains_key(&id) {
                id = format!("object-{n}");
                n += 1;
            }
            set_id(&mut entity.properties, &id);
        }
        self.add(Node {
            entity,
            session,
            parent: parent.map(str::to_owned),
            ..Node::default()
        });
        for child in tree.children {
            self.add_tree(child, Some(&id), session, make_id);
        }
        id
    }

    /// Adds an object whose id is new.
    pub fn add(&mut self, node: Node) {
        let id = node.id().to_owned();
        if let Some(parent) = node.parent.as_ref().and_then(|p| self.nodes.get_mut(p)) {
            parent.children.push(id.clone());
        }
        self.order.push(id.clone());
        self.nodes.insert(id, node);
    }

    pub fn get(&self, id: &str) -> Option<&Node> {
        self.nodes.get(id)
    }

    pub fn get_mut(&mut self, id: &str) -> Option<&mut Node> {
        self.nodes.get_mut(id)
    }

    /// Removes an object and everything below it; returns the ids that are gone.
    pub fn remove(&mut self, id: &str) -> Vec<String> {
        let Some(node) = self.nodes.remove(id) else {
            return Vec::new();
        };
        if let Some(parent) = node.parent.as_ref().and_then(|p| self.nodes.get_mut(p)) {
            parent.children.retain(|c| c != id);
        }
        self.order.retain(|o| o != id);
        let mut gone = vec![id.to_owned()];
        for child in &node.children {
            gone.extend(self.remove(child));
        }
        gone
    }

    /// Every id, in the order things were added.
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// Puts objects back as they were, with the order they had: `None` was not there. What
    /// came since then follows.
    pub fn put_back(&mut self, nodes: Vec<(String, Option<Node>)>, order: Vec<String>) {
        for (id, node) in nodes {
            match node {
                Some(node) => self.nodes.insert(id, node),
                None => self.nodes.remove(&id),
            };
        }
        let since = std::mem::replace(&mut self.order, order);
        for id in since {
            if !self.order.contains(&id) {
                self.order.push(id);
            }
        }
        let nodes = &self.nodes;
        self.order.retain(|id| nodes.contains_key(id));
    }

    /// Drops the soft patches of all objects; the ids of those that had some.
    pub fn clear_soft_patches(&mut self) -> Vec<String> {
        let patched = self.nodes.values_mut().filter(|n| !n.soft.is_empty());
        patched
            .map(|node| {
                node.soft.clear();
                node.id().to_owned()
            })
            .collect()
    }

    /// All objects in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Node> {
        self.order.iter().filter_map(|id| self.nodes.get(id))
    }

    /// The trees of all objects that belong to the app.
    pub fn trees(&self) -> Vec<ObjectTree> {
        self.iter()
            .filter(|n| n.parent.is_none() && !n.session)
            .map(|n| self.tree(n))
            .collect()
    }

    /// An object with what is below it.
    pub fn tree(&self, node: &Node) -> ObjectTree {
        ObjectTree {
            object: node.entity.clone(),
            children: node
                .children
                .iter()
                .filter_map(|c| self.nodes.get(c))
                .map(|c| self.tree(c))
                .collect(),
        }
    }

    /// An object with what is below it, as `GetFullPropertyTree` shows it.
    pub fn tree_json(&self, node: &Node) -> Value {
        let children: Vec<Value> = node
            .children
            .iter()
            .filter_map(|c| self.nodes.get(c))
            .map(|c| self.tree_json(c))
            .collect();
        json!({
            "qProperty": node.entity.properties,
            "qChildren": children,
            "qEmbeddedSnapshotRef": Value::Null,
        })
    }
}

/// Sets `qInfo.qId`.
pub(crate) fn set_id(properties: &mut Properties, id: &str) {
    set_info(properties, "qId", id);
}

/// Sets a member of `qInfo`.
pub(crate) fn set_info(properties: &mut Properties, member: &str, value: &str) {
    match properties.get_mut("qInfo") {
        Some(Value::Object(info)) => {
            info.insert(member.to_owned(), value.into());
        }
        _ => {
            properties.insert("qInfo".to_owned(), json!({ member: value }));
        }
    }
}
