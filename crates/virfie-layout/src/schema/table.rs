//! Macros by which one row of the table of keys becomes all that the program needs of a key: a field of what is written
//! and of the OpenAPI schema, what the reader asks for, and what is known of the key beside its value.
//!
//! A row is its doc, then `KEY: KIND [= what it is when left out] [, moves] [, image | clip | sound];`
//!
//! | kind | what stands there |
//! |---|---|
//! | `number(a, b)`, `integer(TYPE, a, b)`, `integer(TYPE)` | a number from a to b |
//! | `flag`, `color`, `asset` | true or false; a colour; an asset's name |
//! | `length(TYPE)` | a number or `"n%"`; `values.rs` has the types |
//! | `choice(TYPE)` | one of `TYPE::NAMES` |
//! | `object(TYPE)` | an object that has rows itself |
//! | `list(TYPE) {attributes}` | a list, which its own code reads |
//! | `own(TYPE, limits for the schema)` | anything else, which its own code reads |
//! | `must …` | the same, and it cannot be left out |

use std::{marker::PhantomData, ops::RangeInclusive};

use utoipa::openapi::{RefOr, extensions::Extensions, schema::Schema};

use crate::{limits::LengthRange, values::AssetKind};

/// A row, as far as it is not about one type.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The key.
    pub key: &'static str,
    /// The kind of asset that is named there, if one is.
    pub asset: Option<AssetKind>,
    /// Whether it changes little by little from one layout to the next.
    pub moves: bool,
}

/// The extension of an object's schema that lists its keys in the order in which people think of them; JSON has none.
pub const KEY_ORDER: &str = "x-order";

/// The extension of a value's schema that says the kind of asset that is named there.
pub const ASSET: &str = "x-asset";

/// Writes the order of an object's keys into its schema.
pub fn say_order(schema: &mut RefOr<Schema>, keys: &[&str]) {
    if let RefOr::T(Schema::Object(object)) = schema {
        object.extensions.get_or_insert_default().insert(KEY_ORDER.to_owned(), keys.into());
    }
}

/// Writes into an object's schema what its rows say beyond what a schema can say.
pub fn say_rows(schema: &mut RefOr<Schema>, rows: &[Row]) {
    let keys: Vec<&str> = rows.iter().map(|row| row.key).collect();
    say_order(schema, &keys);
    let RefOr::T(Schema::Object(object)) = schema else { return };
    for row in rows {
        // What has a schema of its own says it there.
        if let (Some(kind), Some(RefOr::T(Schema::Object(value)))) = (row.asset, object.properties.get_mut(row.key)) {
            value.extensions.get_or_insert_default().insert(ASSET.to_owned(), kind.name().into());
        }
    }
}

/// Returns the extension that says that an asset of this kind is named.
pub fn names(kind: AssetKind) -> Option<Extensions> {
    Some(Extensions::from_iter([(ASSET, kind.name())]))
}

/// A key as the reader and what is written take it.
#[derive(Debug)]
pub(crate) struct Key<R, U = ()> {
    pub name: &'static str,
    /// The rule for its value.
    pub rule: R,
    /// The value of a key that is left out.
    pub usual: U,
}

impl<R, U: Copy + PartialEq> Key<R, U> {
    /// Returns `None` for what need not be written.
    pub fn unless_usual(&self, value: U) -> Option<U> {
        (value != self.usual).then_some(value)
    }
}

/// A number in a range.
#[derive(Debug)]
pub(crate) struct Number(pub RangeInclusive<f64>);

/// A whole number in a range, all of which fits into `T`.
#[derive(Debug)]
pub(crate) struct Integer<T> {
    pub range: RangeInclusive<i64>,
    pub kind: PhantomData<T>,
}

/// `true` or `false`.
#[derive(Debug)]
pub(crate) struct Flag;

/// A colour.
#[derive(Debug)]
pub(crate) struct Rgb;

/// An asset's name.
#[derive(Debug)]
pub(crate) struct AssetName;

/// A number or a percentage.
#[derive(Debug)]
pub(crate) struct AnyLength(pub &'static LengthRange);

/// One of these names.
#[derive(Debug)]
pub(crate) struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

/// An object with these keys.
#[derive(Debug)]
pub(crate) struct Inner(pub &'static [Row]);

/// Something that the reader has code of its own for.
#[derive(Debug)]
pub(crate) struct Own;

/// Defines an object of layouts by its rows: the struct that is written, whose `ROWS` say which keys there are and whose
/// `KEYS` have one field a key, which the reader must use.
macro_rules! object {
    ($(#[$($of:tt)*])* $name:ident, $keys:ident { $($rows:tt)* }) => {
        object!(@ [[[$(#[$($of)*])*] $name $keys] [] [] [] []] $($rows)*);
    };

    // The kinds.
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: number($min:tt, $max:tt) $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema(nullable = false, minimum = $min, maximum = $max)]
            #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]]
            $key [Option<f64>] [Number] [Number($min as f64..=$max as f64)] [f64] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: number(-$min:tt, $max:tt) $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema(nullable = false, minimum = -$min, maximum = $max)]
            #[serde(skip_serializing_if = "Option::is_none", serialize_with = "number")]]
            $key [Option<f64>] [Number] [Number(-$min as f64..=$max as f64)] [f64] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: must number($min:tt, $max:tt) $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema(minimum = $min, maximum = $max)] #[serde(serialize_with = "plain")]]
            $key [f64] [Number] [Number($min as f64..=$max as f64)] [f64] [] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: integer($type:ident) $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema(nullable = false)] #[serde(skip_serializing_if = "Option::is_none")]]
            $key [Option<$type>] [Integer<$type>]
            [Integer { range: $type::MIN as i64..=$type::MAX as i64, kind: PhantomData }]
            [$type] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: integer($type:ident, $min:tt, $max:tt $($more:tt)*) $(= $usual:expr)?
        $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema(nullable = false, minimum = $min, maximum = $max $($more)*)]
            #[serde(skip_serializing_if = "Option::is_none")]]
            $key [Option<$type>] [Integer<$type>] [Integer { range: $min..=$max, kind: PhantomData }]
            [$type] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: flag $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@optional $to [$(#[$($doc)*])*] $key [bool] [Flag] [Flag] [bool] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: color $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@optional $to [$(#[$($doc)*])*] $key [Color] [Rgb] [Rgb] [[u8; 3]] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: asset $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])*
            #[schema(nullable = false, max_length = 128, pattern = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$")]
            #[serde(skip_serializing_if = "Option::is_none")]]
            $key [Option<String>] [AssetName] [AssetName] [String] [] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: length($type:ident) $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@optional $to [$(#[$($doc)*])*] $key [$type] [AnyLength] [AnyLength($type::RANGE)]
            [Length] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: choice($type:ident) $(= $usual:expr)? $(, $word:ident)*; $($rest:tt)*) => {
        object!(@optional $to [$(#[$($doc)*])*] $key [$type] [Choice<$type>] [Choice(&$type::NAMES)]
            [$type] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: must choice($type:ident) $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])*] $key [$type] [Choice<$type>] [Choice(&$type::NAMES)]
            [$type] [] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: object($type:ident) $(, $word:ident)*; $($rest:tt)*) => {
        object!(@optional $to [$(#[$($doc)*])*] $key [$type] [Inner] [Inner($type::ROWS)]
            [$type] [] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: list($type:ident) { $($attr:tt)* } $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* $($attr)*] $key [Vec<$type>] [Own] [Own] [()] [] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: own($type:ident $($limit:tt)*) $(= $usual:expr)? $(, $word:ident)*;
        $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema(nullable = false $($limit)*)]
            #[serde(skip_serializing_if = "Option::is_none")]]
            $key [Option<$type>] [Own] [Own] [$type] [$($usual)?] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: must own($type:ident) $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])*] $key [$type] [Own] [Own] [()] [] [$($word)*] $($rest)*);
    };
    (@ $to:tt $(#[$($doc:tt)*])* $key:ident: must own($type:ident, $($limit:tt)*) $(, $word:ident)*; $($rest:tt)*) => {
        object!(@push $to [$(#[$($doc)*])* #[schema($($limit)*)]] $key [$type] [Own] [Own] [()] [] [$($word)*] $($rest)*);
    };

    // What most of them have in common.
    (@optional $to:tt [$($doc:tt)*] $key:ident [$($type:tt)*] $($rest:tt)*) => {
        object!(@push $to [$($doc)* #[schema(nullable = false)] #[serde(skip_serializing_if = "Option::is_none")]]
            $key [Option<$($type)*>] $($rest)*);
    };
    (@push [$head:tt [$($fields:tt)*] [$($keys:tt)*] [$($values:tt)*] [$($table:tt)*]]
        [$($attr:tt)*] $key:ident [$($type:tt)*] [$rule:ty] [$is:expr] [$value:ty] [$($usual:expr)?] [$($word:ident)*]
        $($rest:tt)*) => {
        object!(@ [
            $head
            [$($fields)* $($attr)* pub $key: $($type)*,]
            [$($keys)* pub $key: Key<$rule, object!(@type $value $(, $usual)?)>,]
            [$($values)* $key: Key { name: stringify!($key), rule: $is, usual: object!(@usual $($usual)?) },]
            [$($table)* Row { key: stringify!($key), asset: object!(@asset $($word)*), moves: object!(@moves $($word)*) },]
        ] $($rest)*);
    };
    (@type $value:ty) => { () };
    (@type $value:ty, $usual:expr) => { $value };
    (@usual) => { () };
    (@usual $usual:expr) => { $usual };
    (@asset) => { None };
    (@asset image $($rest:ident)*) => { Some(AssetKind::Image) };
    (@asset clip $($rest:ident)*) => { Some(AssetKind::Clip) };
    (@asset sound $($rest:ident)*) => { Some(AssetKind::Sound) };
    (@asset moves $($rest:ident)*) => { object!(@asset $($rest)*) };
    (@moves) => { false };
    (@moves moves $($rest:ident)*) => { true };
    (@moves $other:ident $($rest:ident)*) => { object!(@moves $($rest)*) };

    // All rows are read.
    (@ [[[$($of:tt)*] $name:ident $keys:ident] [$($fields:tt)*] [$($types:tt)*] [$($values:tt)*] [$($table:tt)*]]) => {
        #[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        $($of)*
        pub struct $name {
            $($fields)*
        }

        /// The keys, each with what may stand there: the reader has no other way to them.
        #[derive(Debug)]
        pub(crate) struct $keys {
            $($types)*
        }

        impl $name {
            /// Every key, in the order in which people think of them, and in which they are written.
            pub const ROWS: &'static [Row] = &[$($table)*];
            pub(crate) const KEYS: &'static $keys = &$keys { $($values)* };
        }
    };
}
pub(super) use object;
