//! `web/src/client/wire.ts`: the types of the HTTP API in TypeScript, written from
//! `crates/contract`. Nobody edits that file; a test fails when it is out of date.
//!
//! Reads the source, so that the room itself needs no extra derive and no feature. It knows
//! the shapes the room uses (structs with named fields, enums of names, `Option`, `Vec`) and
//! stops at anything else rather than guess.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use syn::{Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type};

use crate::process::root;

const HEAD: &str = "\
// Written by `cargo xtask wire` from `crates/contract`; do not edit.
//
// Times are milliseconds since 1970 UTC, binary values standard base64, sizes bytes.
";

/// Types that cross the wire as one JSON value, defined outside the room.
const PLAIN: [(&str, &str); 13] = [
    ("String", "string"),
    ("AppId", "string"),
    ("DeviceId", "string"),
    ("SubjectId", "string"),
    ("bool", "boolean"),
    ("u16", "number"),
    ("u32", "number"),
    ("u64", "number"),
    ("i64", "number"),
    ("f64", "number"),
    ("UnixMillis", "number"),
    ("ByteSize", "number"),
    (
        "Policy",
        "Record<string, boolean | number | string | string[]>",
    ),
];

/// Writes the file anew.
pub fn write() -> Result<()> {
    let path = target();
    fs::write(&path, generate()?).with_context(|| path.display().to_string())
}

fn target() -> PathBuf {
    root().join("web/src/client/wire.ts")
}

/// What the file should hold now.
fn generate() -> Result<String> {
    let folder = root().join("crates/contract/src");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| folder.display().to_string())?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    // Folders hold what types are made of, not types of their own.
    files.retain(|path| path.is_file());
    files.sort();
    let mut text = HEAD.to_owned();
    for path in files {
        add_file(&mut text, &path).with_context(|| path.display().to_string())?;
    }
    Ok(text)
}

fn add_file(text: &mut String, path: &Path) -> Result<()> {
    let source = syn::parse_file(&fs::read_to_string(path)?)?;
    for item in &source.items {
        match item {
            Item::Struct(it) if crosses_the_wire(&it.attrs) => {
                add_docs(text, "", &it.attrs);
                writeln!(text, "export interface {} {{", it.ident)?;
                add_fields(text, &it.fields).with_context(|| it.ident.to_string())?;
                text.push_str("}\n");
            }
            Item::Enum(it) if crosses_the_wire(&it.attrs) => {
                add_docs(text, "", &it.attrs);
                writeln!(text, "export type {} =", it.ident)?;
                let rename = serde_rule(&it.attrs, "rename_all")?;
                for variant in &it.variants {
                    if !matches!(variant.fields, Fields::Unit) {
                        bail!("{}::{} carries fields", it.ident, variant.ident);
                    }
                    let name = renamed(&variant.ident.to_string(), rename.as_deref())?;
                    writeln!(text, "  | '{name}'")?;
                }
                text.truncate(text.trim_end().len());
                text.push_str(";\n");
            }
            _ => {}
        }
    }
    Ok(())
}

fn add_fields(text: &mut String, fields: &Fields) -> Result<()> {
    let Fields::Named(fields) = fields else {
        bail!("has fields without names");
    };
    for field in &fields.named {
        let name = field.ident.as_ref().map(ToString::to_string);
        let name = name.ok_or_else(|| anyhow!("a field has no name"))?;
        for rule in ["rename", "flatten", "skip", "with"] {
            if serde_rule(&field.attrs, rule)?.is_some() {
                bail!("{name}: serde's `{rule}` is not known here");
            }
        }
        add_docs(text, "  ", &field.attrs);
        let kind = kind(&field.ty).with_context(|| name.clone())?;
        // What may be missing when it is read is also allowed to be missing when it is sent.
        let mark = match serde_rule(&field.attrs, "skip_serializing_if")? {
            Some(_) => "?",
            None => "",
        };
        writeln!(text, "  {name}{mark}: {kind};")?;
    }
    Ok(())
}

/// A Rust type in TypeScript.
fn kind(ty: &Type) -> Result<String> {
    let Type::Path(path) = ty else {
        bail!("only named types are known here");
    };
    let last = path.path.segments.last();
    let last = last.ok_or_else(|| anyhow!("a type without a name"))?;
    let name = last.ident.to_string();
    if let Some((_, plain)) = PLAIN.iter().find(|(rust, _)| *rust == name) {
        return Ok((*plain).to_owned());
    }
    match (name.as_str(), &last.arguments) {
        ("Option", arguments) => Ok(format!("{} | null", inner(arguments)?)),
        ("Vec", arguments) => match inner(arguments)? {
            one if one.contains(' ') => Ok(format!("({one})[]")),
            one => Ok(format!("{one}[]")),
        },
        (_, PathArguments::None) => Ok(name),
        _ => bail!("`{name}` is not known here"),
    }
}

fn inner(arguments: &PathArguments) -> Result<String> {
    let PathArguments::AngleBracketed(list) = arguments else {
        bail!("a container without a type");
    };
    match list.args.first() {
        Some(GenericArgument::Type(ty)) if list.args.len() == 1 => kind(ty),
        _ => bail!("a container of several types"),
    }
}

fn crosses_the_wire(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let Meta::List(list) = &attr.meta else {
            return false;
        };
        attr.path().is_ident("derive") && list.tokens.to_string().contains("Serialize")
    })
}

/// The value of a serde attribute; empty for one without.
fn serde_rule(attrs: &[Attribute], rule: &str) -> Result<Option<String>> {
    let mut found = None;
    for attr in attrs.iter().filter(|a| a.path().is_ident("serde")) {
        attr.parse_nested_meta(|meta| {
            let value = match meta.value() {
                Ok(value) => value.parse::<syn::LitStr>()?.value(),
                Err(_) => String::new(),
            };
            if meta.path.is_ident(rule) {
                found = Some(value);
            }
            Ok(())
        })?;
    }
    Ok(found)
}

fn renamed(name: &str, rule: Option<&str>) -> Result<String> {
    match rule {
        None => Ok(name.to_owned()),
        Some("lowercase") => Ok(name.to_lowercase()),
        Some("snake_case") => {
            let mut snake = String::new();
            for (i, letter) in name.char_indices() {
                if letter.is_uppercase() && i > 0 {
                    snake.push('_');
                }
                snake.extend(letter.to_lowercase());
            }
            Ok(snake)
        }
        Some(other) => bail!("serde's rename_all = \"{other}\" is not known here"),
    }
}

/// The documentation, with links to other items as plain names.
fn add_docs(text: &mut String, indent: &str, attrs: &[Attribute]) {
    let mut lines = Vec::new();
    for attr in attrs.iter().filter(|a| a.path().is_ident("doc")) {
        if let Meta::NameValue(doc) = &attr.meta
            && let Expr::Lit(value) = &doc.value
            && let Lit::Str(line) = &value.lit
        {
            let line = line.value().replace("[`crate::", "`").replace("[`", "`");
            lines.push(
                line.replace("`]", "`")
                    .replace("*/", "* /")
                    .trim()
                    .to_owned(),
            );
        }
    }
    let end = lines.len().saturating_sub(1);
    if indent.is_empty() {
        text.push('\n');
    }
    for (i, line) in lines.iter().enumerate() {
        let open = if i == 0 { "/** " } else { " * " };
        let close = if i == end { " */" } else { "" };
        let row = format!("{indent}{open}{line}{close}");
        text.push_str(row.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_of_the_web_ui_are_those_of_the_contract() {
        let written = fs::read_to_string(target()).expect("wire.ts is in the repository");
        let wanted = generate().expect("the contract can be written in TypeScript");
        assert!(
            written == wanted,
            "web/src/client/wire.ts is out of date; run `cargo xtask wire`"
        );
    }
}
