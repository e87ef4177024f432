//! XML as a tree. Entities of a file's own, with which a few bytes become gigabytes or another
//! file, are refused; nothing outside the file is read.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use satchel_script::HostError;

/// Deeper than any table is; the tree is walked by functions that call themselves.
const MOST_DEPTH: usize = 256;

/// An element.
#[derive(Debug, Default)]
pub(crate) struct Element {
    /// Without a prefix.
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    /// Its own text, without that of its children.
    pub(crate) text: String,
}

impl Element {
    /// The first child called `name`.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|c| c.name == name)
    }
}

/// The root of the document.
pub(crate) fn parse(text: &str, path: &str) -> Result<Element, HostError> {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        let at = reader.buffer_position();
        let fail = |why: String| malformed(text, path, at, &why);
        let event = (reader.read_event())
            .map_err(|error| malformed(text, path, reader.error_position(), &error.to_string()))?;
        match event {
            Event::Start(start) => {
                if open.len() > MOST_DEPTH {
                    return Err(fail(format!("it is nested more than {MOST_DEPTH} deep")));
                }
                open.push(element(&start).map_err(fail)?);
            }
            Event::Empty(start) => {
                let done = element(&start).map_err(fail)?;
                if let Some(parent) = open.last_mut() {
                    parent.children.push(done);
                }
            }
            Event::End(_) => {
                let Some(done) = open.pop().filter(|_| !open.is_empty()) else {
                    return Err(fail("an end tag has no start".to_owned()));
                };
                if let Some(parent) = open.last_mut() {
                    parent.children.push(done);
                }
            }
            Event::Text(part) => push_text(&mut open, &part),
            Event::CData(part) => push_text(&mut open, &part),
            Event::GeneralRef(name) => {
                let character = name.resolve_char_ref().ok().flatten();
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => {
                        push_text(&mut open, character.encode_utf8(&mut [0; 4]))
                    }
                    (None, Some(known)) => push_text(&mut open, known),
                    (None, None) => {
                        return Err(fail(format!(
                            "it uses the entity `&{};`, which is not one of XML itself",
                            &*name
                        )));
                    }
                }
            }
            Event::DocType(declaration) => {
                let declaration = declaration.to_ascii_uppercase();
                if declaration.contains("<!ENTITY") {
                    return Err(fail(
                        "it defines entities of its own, which are refused".to_owned(),
                    ));
                }
            }
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    let end = text.len() as u64;
    let Some(mut document) = open.pop().filter(|_| open.is_empty()) else {
        return Err(malformed(text, path, end, "it ends within an element"));
    };
    match document.children.len() {
        1 => Ok(document.children.remove(0)),
        0 => Err(malformed(text, path, end, "there is no element in it")),
        _ => Err(malformed(text, path, end, "it has more than one root")),
    }
}

fn push_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, String> {
    let mut out = Element {
        name: start.local_name().into_inner().to_owned(),
        ..Element::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let name = attribute.key.local_name().into_inner().to_owned();
        // Names of name spaces are no data.
        let whole = attribute.key.into_inner();
        if whole == "xmlns" || whole.starts_with("xmlns:") {
            continue;
        }
        let value =
            quick_xml::escape::unescape(&attribute.value).map_err(|error| error.to_string())?;
        out.attributes.push((name, value.into_owned()));
    }
    Ok(out)
}

fn malformed(text: &str, path: &str, at: u64, why: &str) -> HostError {
    let at = (at as usize).min(text.len());
    let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..at]).count() + 1;
    HostError::new(
        "source.malformed",
        format!("`{path}` cannot be read as XML, line {line}: {why}"),
    )
    .with_hint("was it written completely, and is it XML?")
}
