//! XML to a small tree of CAP's elements. Knows nothing of what they mean.
//!
//! No document type, no entities beyond XML's five and numbered characters, no other namespace, bounded depth and
//! count: what a stranger's file could make a reader fetch or grow is refused or passed over.

use quick_xml::{
    NsReader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
    name::ResolveResult,
};

use crate::{ProblemCode, fields::clean};

/// Elements within elements; CAP has four levels.
const DEPTH_MAX: usize = 16;
/// Elements in one message.
const ELEMENTS_MAX: usize = 50_000;

/// The namespaces of the versions that are read.
pub(super) const NAMESPACES: [&str; 2] =
    ["urn:oasis:names:tc:emergency:cap:1.2", "urn:oasis:names:tc:emergency:cap:1.1"];

/// One element of a CAP namespace.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    /// Its own text, white space at both ends cut off.
    pub(super) text: String,
    children: Vec<Element>,
    /// It belongs to a namespace of CAP.
    is_cap: bool,
}

impl Element {
    /// The children of a name, in their order.
    pub(super) fn all<'e>(&'e self, name: &'static str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.is_cap && child.name == name)
    }

    /// The text of the first child of a name; an empty one is none.
    pub(super) fn text_of(&self, name: &'static str) -> Option<&str> {
        self.all(name).map(|child| child.text.as_str()).find(|text| !text.is_empty())
    }
}

/// Why a text is not read, and what to say of it.
pub(super) type Refusal = (ProblemCode, String);

/// The root element.
pub(super) fn parse(text: &str) -> Result<Element, Refusal> {
    let wrong = |why: String| (ProblemCode::Unparsable, format!("the body is no well-formed XML: {why}"));
    let mut reader = NsReader::from_str(text);
    let mut tree = Tree::default();
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|e| wrong(e.to_string()))?;
        let is_cap = matches!(&namespace, ResolveResult::Bound(ns) if NAMESPACES.contains(&ns.as_ref()));
        let name = |name: &str| clean(name, 64);
        match event {
            Event::Start(start) => tree.open(name(start.local_name().as_ref()), is_cap)?,
            Event::Empty(start) => {
                tree.open(name(start.local_name().as_ref()), is_cap)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.say(&text.xml10_content()),
            Event::CData(text) => tree.say(&text.xml10_content()),
            Event::GeneralRef(reference) => tree.say(&resolved(&reference)?),
            Event::DocType(_) => return Err(doctype()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !tree.open.is_empty() {
        return Err(wrong("it ends inside an element".to_owned()));
    }
    tree.root.ok_or_else(|| wrong("it has no element".to_owned()))
}

fn doctype() -> Refusal {
    let detail = "the body has a DOCTYPE; CAP needs none, and document types and entities are never read: leave it out";
    (ProblemCode::Unparsable, detail.to_owned())
}

/// One of XML's five entities, or a numbered character.
fn resolved(reference: &BytesRef<'_>) -> Result<String, Refusal> {
    let named = reference.xml10_content();
    if let Some(text) = resolve_predefined_entity(&named) {
        return Ok(text.to_owned());
    }
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Ok(character.to_string()),
        Ok(None) | Err(_) => {
            let detail =
                format!("the body uses the entity &{};, which XML does not define by itself", clean(&named, 64));
            Err((ProblemCode::Unparsable, detail))
        }
    }
}

/// What has been read so far.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, name: String, is_cap: bool) -> Result<(), Refusal> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            let detail = format!("more than {DEPTH_MAX} levels or {ELEMENTS_MAX} elements");
            return Err((ProblemCode::Oversized, detail));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err((ProblemCode::Unparsable, "the body has more than one root element".to_owned()));
        }
        self.open.push(Element { name, is_cap, ..Element::default() });
        Ok(())
    }

    fn say(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn close(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        element.text = element.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }
}

impl Element {
    /// The root as an alert of a version that is read.
    pub(super) fn into_alert(self) -> Result<Self, Refusal> {
        if self.name == "alert" && self.is_cap {
            return Ok(self);
        }
        let detail = format!(
            "the root element {:?} is no alert in the namespace {} or {}",
            self.name, NAMESPACES[0], NAMESPACES[1]
        );
        Err((ProblemCode::Unparsable, detail))
    }
}
