//! The crates as their source files: which there are, what each refers to, and where.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::{
    Attribute, Expr, ExprLit, ExprUnsafe, Item, ItemImpl, ItemMod, ItemUse, Lit, Macro, Meta, UseTree,
    spanned::Spanned as _,
    visit::{self, Visit},
};

/// Files in which a crate begins, and what their modules are called here: as the program's library calls them (nothing
/// for its own).
const ROOTS: [(&str, &str); 5] = [
    ("src/lib.rs", ""),
    ("src/main.rs", "main"),
    ("crates/virfie-layout/src/lib.rs", "layout"),
    ("crates/virfie-segment/src/lib.rs", "media::segment"),
    ("crates/virfie-segment/src/plugin.rs", "plugin"),
];

/// The folders of [`ROOTS`].
pub const FOLDERS: [&str; 2] = ["src", "crates"];

/// Our libraries, and what they are called here.
const LIBRARIES: [(&str, &str); 3] =
    [("virfie", ""), ("virfie_layout", "layout"), ("virfie_segment", "media::segment")];

/// Paths of the same: what a crate has below the first, the program's library shows below the second.
const SHOWN: (&str, &str) = ("media::segment::gst", "media::gst");

/// One source file.
pub struct Source {
    /// Relative to the repository, as failures show it.
    pub path: String,
    /// `["media", "compose", "clock"]`
    pub module: Vec<String>,
    /// The module that `crate` is in it.
    root: Vec<String>,
    /// Whether all of it is compiled for tests only.
    pub test: bool,
    pub text: String,
    pub references: Vec<Reference>,
    /// Lines on which something `unsafe` begins.
    pub unsafe_lines: Vec<usize>,
    /// Name and line of every macro that is called.
    pub macros: Vec<(String, usize)>,
    parsed: syn::File,
}

/// A path that a file writes.
pub struct Reference {
    pub target: Target,
    pub line: usize,
    pub test: bool,
}

/// The thing that a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Something of our crates, from the root of the program's library.
    Ours(Vec<String>),
    /// Something of another crate (or of a name that a `use` has brought in, which was looked at there).
    Foreign(Vec<String>),
}

impl Source {
    /// Returns `src/a.rs:12`
    pub fn at(&self, line: usize) -> String {
        format!("{}:{line}", self.path)
    }

    /// Returns the first paragraph of the file's documentation.
    pub fn summary(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.take_while(|line| !line.trim().is_empty()).map(str::trim).collect::<Vec<_>>().join(" ")
    }
}

/// Returns the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Returns every file that is compiled into the libraries, the program and the plugin, and the faults of the tree itself:
/// files that nothing declares.
pub fn crate_sources() -> (Vec<Source>, Vec<String>) {
    let mut sources = Vec::new();
    for (path, name) in ROOTS {
        let root = names(name);
        collect(path.into(), root.clone(), &root, false, &mut sources);
    }
    let modules: BTreeSet<Vec<String>> = sources.iter().flat_map(modules_of).collect();
    for source in &mut sources {
        let mut reader = Reader {
            modules: &modules,
            root: &source.root,
            module: source.module.clone(),
            test: source.test,
            found: Found::default(),
        };
        reader.visit_file(&source.parsed);
        source.references = reader.found.references;
        source.unsafe_lines = reader.found.unsafe_lines;
        source.macros = reader.found.macros;
    }
    let known: BTreeSet<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    let faults = FOLDERS
        .into_iter()
        .flat_map(|folder| files_below(folder, "rs"))
        .filter(|path| !known.contains(path.as_str()))
        .map(|path| format!("{path}:1: no `mod` declares this file"))
        .collect();
    (sources, faults)
}

/// Returns files with this extension below a folder, relative to the repository; build outputs are left out.
pub fn files_below(folder: &str, extension: &str) -> Vec<String> {
    let root = repository();
    let outputs = ["target", "node_modules", "dist", ".git"];
    let entries = walkdir::WalkDir::new(root.join(folder))
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !outputs.iter().any(|name| entry.file_name() == *name));
    entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter(|entry| extension.is_empty() || entry.path().extension().is_some_and(|found| found == extension))
        .map(|entry| shown(entry.path().strip_prefix(&root).expect("the walk began in the repository")))
        .collect()
}

/// Returns `["media", "segment"]` for `media::segment`.
fn names(path: &str) -> Vec<String> {
    path.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Returns a module's path as the program's library shows it.
fn as_shown(path: Vec<String>) -> Vec<String> {
    let (own, shown) = (names(SHOWN.0), names(SHOWN.1));
    match path.strip_prefix(own.as_slice()) {
        Some(rest) if !rest.is_empty() => [shown.as_slice(), rest].concat(),
        _ => path,
    }
}

fn shown(path: &Path) -> String {
    path.to_str().expect("the repository's paths are UTF-8").replace('\\', "/")
}

/// Reads a file and those that its `mod x;` lines declare.
fn collect(path: PathBuf, module: Vec<String>, root: &[String], test: bool, sources: &mut Vec<Source>) {
    let text =
        fs::read_to_string(repository().join(&path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let parsed = syn::parse_file(&text).unwrap_or_else(|error| {
        panic!("{}:{}: {error}", path.display(), error.span().start().line);
    });
    let folder = path.parent().expect("a file has a folder").to_owned();
    let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a source file has a name");
    let is_root = ROOTS.iter().any(|(root, _)| Path::new(root) == path);
    let below = if is_root { folder.clone() } else { folder.join(name) };
    let mut declared = Vec::new();
    for item in &parsed.items {
        let Item::Mod(item) = item else { continue };
        if item.content.is_some() {
            continue;
        }
        let child = item.ident.to_string();
        let file = match path_attribute(&item.attrs) {
            Some(given) => folder.join(given),
            None => below.join(format!("{child}.rs")),
        };
        let mut module = module.clone();
        module.push(child);
        declared.push((file, as_shown(module), test || is_for_tests(&item.attrs)));
    }
    sources.push(Source {
        path: shown(&path),
        module,
        root: root.to_vec(),
        test,
        text,
        references: Vec::new(),
        unsafe_lines: Vec::new(),
        macros: Vec::new(),
        parsed,
    });
    for (file, module, test) in declared {
        collect(file, module, root, test, sources);
    }
}

/// Returns a file's module and those that it writes in braces.
fn modules_of(source: &Source) -> Vec<Vec<String>> {
    fn walk(items: &[Item], module: &[String], into: &mut Vec<Vec<String>>) {
        into.push(module.to_vec());
        for item in items {
            if let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item {
                walk(items, &[module, &[ident.to_string()]].concat(), into);
            }
        }
    }
    let mut modules = Vec::new();
    walk(&source.parsed.items, &source.module, &mut modules);
    modules
}

/// Returns `#[path = "…"]`
fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}

/// `#[cfg(test)]` and `#[test]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::Path(path) => path.is_ident("test"),
        Meta::NameValue(_) => false,
    })
}

#[derive(Default)]
struct Found {
    references: Vec<Reference>,
    unsafe_lines: Vec<usize>,
    macros: Vec<(String, usize)>,
}

/// Walks through a file and notes what the rules ask for.
struct Reader<'a> {
    modules: &'a BTreeSet<Vec<String>>,
    root: &'a [String],
    module: Vec<String>,
    test: bool,
    found: Found,
}

impl Reader<'_> {
    fn note(&mut self, path: Vec<String>, line: usize) {
        if let Some(target) = self.resolve(path) {
            self.found.references.push(Reference { target, line, test: self.test });
        }
    }

    fn resolve(&self, path: Vec<String>) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        if let Some((_, library)) = LIBRARIES.iter().find(|(name, _)| name == first) {
            return Some(Target::Ours(as_shown([names(library).as_slice(), rest].concat())));
        }
        Some(match first.as_str() {
            "crate" => Target::Ours(as_shown([self.root, rest].concat())),
            "self" => Target::Ours([self.module.as_slice(), rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|segment| *segment == "super").count();
                let base = self.module.len().checked_sub(ups)?;
                Target::Ours([&self.module[..base], &path[ups..]].concat())
            }
            child if self.modules.contains(&[self.module.as_slice(), &[child.to_owned()]].concat()) => {
                Target::Ours([self.module.as_slice(), path.as_slice()].concat())
            }
            _ => Target::Foreign(path),
        })
    }

    fn use_tree(&mut self, tree: &UseTree, mut prefix: Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.use_tree(&path.tree, prefix);
            }
            UseTree::Name(name) => self.used(prefix, &name.ident),
            UseTree::Rename(rename) => self.used(prefix, &rename.ident),
            UseTree::Glob(glob) => self.note(prefix, glob.span().start().line),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, prefix.clone());
                }
            }
        }
    }

    fn used(&mut self, mut prefix: Vec<String>, ident: &proc_macro2::Ident) {
        // `use a::{self}` is `use a`.
        if ident != "self" || prefix.is_empty() {
            prefix.push(ident.to_string());
        }
        self.note(prefix, ident.span().start().line);
    }

    /// Paths in the arguments of macros and attributes, which are not parsed: `name::name…`.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut line, mut colons) = (0, 0);
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.end_of_path(&mut path, line);
                        line = ident.span().start().line;
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => {
                    let joined = punct.spacing() == Spacing::Joint || colons == 1;
                    colons = if joined { colons + 1 } else { 0 };
                }
                other => {
                    self.end_of_path(&mut path, line);
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.end_of_path(&mut path, line);
    }

    fn end_of_path(&mut self, path: &mut Vec<String>, line: usize) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.note(path, line);
        }
    }

    fn inside(&mut self, attributes: &[Attribute], walk: impl FnOnce(&mut Self)) {
        let outside = self.test;
        self.test |= is_for_tests(attributes);
        walk(self);
        self.test = outside;
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => &[],
        };
        self.inside(attributes, |reader| visit::visit_item(reader, item));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.use_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        // A single name is a local one, or was brought in by a `use`.
        if path.segments.len() > 1 {
            let names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.note(names, path.segments[0].ident.span().start().line);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        if let Some(last) = call.path.segments.last() {
            self.found.macros.push((last.ident.to_string(), last.ident.span().start().line));
        }
        visit::visit_macro(self, call);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        self.tokens(tokens.clone());
    }

    fn visit_expr_unsafe(&mut self, block: &'ast ExprUnsafe) {
        self.found.unsafe_lines.push(block.unsafe_token.span.start().line);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if let Some(token) = &item.unsafety {
            self.found.unsafe_lines.push(token.span.start().line);
        }
        visit::visit_item_impl(self, item);
    }
}
