//! Triggers of a layout: when keypoints of people are in places, something happens. PURE.
//!
//! These types are what the reader makes and, as they are, what is written and what the OpenAPI document shows.
//!
//! A trigger *fires* when its conditions come true. What happens once (a scene, a sound, a picture, an event, a layer
//! for a time) happens then; what lasts (a layer without a time, twirl, icons, polaroid) lasts while they are true.

use serde::{Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr,
        schema::{ArrayBuilder, ObjectBuilder, OneOfBuilder, Schema, Type},
    },
};

use super::{
    look::KeypointName,
    schema::values::{Position, plain},
    values::{AssetKind, Length},
};

/// Something that happens by itself.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LayoutTrigger)]
pub struct Trigger {
    /// Unique among the layout's triggers.
    #[schema(pattern = "^[A-Za-z0-9_-]{1,64}$")]
    pub id: String,
    /// The conditions under which it fires.
    pub when: When,
    /// The actions of a firing, in this order.
    #[serde(rename = "do")]
    #[schema(min_items = 1, max_items = 8)]
    pub actions: Vec<Action>,
    /// Fires again and again, so many milliseconds apart, while it is true; once when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 100, maximum = 3600000)]
    pub every_ms: Option<u32>,
    /// After it fired it does not fire again for so many milliseconds; 0 when left out.
    #[serde(skip_serializing_if = "is_zero")]
    #[schema(minimum = 0, maximum = 3600000)]
    pub hold_off_ms: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The conditions that must be true: every one of these conditions; none at all is always true.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct When(pub Vec<Condition>);

impl Serialize for When {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0[..] {
            [] => serializer.serialize_str("always"),
            [one] => one.serialize(serializer),
            all => serializer.collect_seq(all),
        }
    }
}

impl ToSchema for When {
    fn name() -> std::borrow::Cow<'static, str> {
        "TriggerWhen".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((<Condition as ToSchema>::name().into(), Condition::schema()));
        Condition::schemas(schemas);
    }
}

impl PartialSchema for When {
    fn schema() -> RefOr<Schema> {
        let condition = || Ref::from_schema_name(<Condition as ToSchema>::name());
        let always = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["always"]));
        let all = ArrayBuilder::new().items(condition()).min_items(Some(1)).max_items(Some(16));
        OneOfBuilder::new()
            .item(condition())
            .item(all.description(Some("All of these.")))
            .item(always.description(Some("True as long as the layout is shown.")))
            .into()
    }
}

/// A keypoint of people is inside an area of the canvas.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TriggerCondition)]
pub struct Condition {
    /// Point of a person; left and right are the person's own. One that is not seen (a score below 0.1) is nowhere.
    pub keypoint: KeypointName,
    /// Layers whose people count; `all` when left out.
    #[serde(skip_serializing_if = "Whose::is_all")]
    pub layers: Whose,
    /// Area in which it happens.
    pub area: Area,
    /// The meaning of a layer that shows nobody; `block` when left out.
    #[serde(skip_serializing_if = "Absent::is_block")]
    pub absent: Absent,
}

/// The people whose keypoints count.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Whose {
    /// Those of everybody who is shown.
    #[default]
    All,
    /// Those of the people in the layers of these ids.
    Layers(Vec<String>),
}

impl Whose {
    fn is_all(&self) -> bool {
        *self == Self::All
    }
}

impl Serialize for Whose {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Layers(ids) => serializer.collect_seq(ids),
        }
    }
}

impl ToSchema for Whose {
    fn name() -> std::borrow::Cow<'static, str> {
        "TriggerLayers".into()
    }
}

impl PartialSchema for Whose {
    fn schema() -> RefOr<Schema> {
        let all = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["all"]));
        let ids = ArrayBuilder::new()
            .items(ObjectBuilder::new().schema_type(Type::String))
            .min_items(Some(1))
            .max_items(Some(64))
            .description(Some("Ids of layers that show participants: every one of them must be inside."));
        OneOfBuilder::new().item(all.description(Some("Everybody who is shown."))).item(ids).into()
    }
}

/// A part of the canvas; every edge is measured from the canvas's top left corner. A point on an edge is outside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TriggerArea)]
pub struct Area {
    /// Canvas pixels from the left, or `"n%"` of the canvas's width; 0 when left out.
    #[serde(serialize_with = "position")]
    #[schema(value_type = Position)]
    pub left: Length,
    /// Canvas pixels from the top, or `"n%"` of the canvas's height; 0 when left out.
    #[serde(serialize_with = "position")]
    #[schema(value_type = Position)]
    pub top: Length,
    /// Canvas pixels from the left, or `"n%"` of the canvas's width; `"100%"` when left out.
    #[serde(serialize_with = "position")]
    #[schema(value_type = Position)]
    pub right: Length,
    /// Canvas pixels from the top, or `"n%"` of the canvas's height; `"100%"` when left out.
    #[serde(serialize_with = "position")]
    #[schema(value_type = Position)]
    pub bottom: Length,
}

fn position<S: Serializer>(length: &Length, serializer: S) -> Result<S::Ok, S::Error> {
    Position(*length).serialize(serializer)
}

impl Area {
    /// All of the canvas.
    pub const WHOLE: Area = Area {
        left: Length::Number(0.0),
        top: Length::Number(0.0),
        right: Length::Percent(100.0),
        bottom: Length::Percent(100.0),
    };

    /// Returns left, top, right, bottom in pixels of a canvas of this size.
    #[inline]
    pub fn edges(&self, (width, height): (f64, f64)) -> [f64; 4] {
        [self.left.of(width), self.top.of(height), self.right.of(width), self.bottom.of(height)]
    }

    /// Returns whether a point of a canvas of this size is inside, strictly.
    #[inline]
    pub fn holds(&self, (x, y): (f64, f64), canvas: (f64, f64)) -> bool {
        let [left, top, right, bottom] = self.edges(canvas);
        left < x && x < right && top < y && y < bottom
    }

    fn is_whole(&self) -> bool {
        *self == Self::WHOLE
    }
}

/// The meaning for a condition of the case that a layer shows nobody, or that nobody is shown at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TriggerAbsent)]
pub enum Absent {
    /// The condition is not true.
    #[default]
    Block,
    /// They do not count.
    Ignore,
}

impl Absent {
    /// Both by their names in JSON.
    pub const NAMES: [(&'static str, Absent); 2] = [("block", Absent::Block), ("ignore", Absent::Ignore)];

    fn is_block(&self) -> bool {
        *self == Self::Block
    }
}

/// The effect of a trigger: an object of one of these shapes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = TriggerAction)]
pub enum Action {
    /// Once.
    Scene(ActivateScene),
    /// For a time, or while it lasts.
    Show(ShowLayer),
    /// Once.
    Sound(PlaySound),
    /// Once.
    Snapshot(TakeSnapshot),
    /// Once.
    Event(TellEvent),
    /// While it lasts.
    Twirl(TwirlAction),
    /// While it lasts.
    Icons(IconsAction),
    /// While it lasts.
    Polaroid(PolaroidAction),
}

impl Action {
    /// Returns the key that distinguishes them.
    pub const KEYS: [&'static str; 8] = ["scene", "show", "sound", "snapshot", "event", "twirl", "icons", "polaroid"];
}

/// Shows a stored scene to everybody.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivateScene {
    /// Its name, `next` or `previous`. One that is not there changes nothing.
    pub scene: String,
}

/// Shows a layer that is not seen otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowLayer {
    /// The layer's id.
    pub show: String,
    /// For so many milliseconds; left out, while the trigger is true.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 3600000)]
    pub for_ms: Option<u32>,
}

/// Plays a sound into the mix.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaySound {
    /// A sound asset's name.
    #[schema(extensions(("x-asset" = json!("sound"))))]
    pub sound: String,
}

/// Takes a picture of the canvas, which the event `photo_taken` reports.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeSnapshot {
    /// Of which part.
    pub snapshot: Shot,
}

/// The part of the canvas that a picture is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SnapshotShot)]
pub struct Shot {
    /// The whole canvas when left out.
    #[serde(skip_serializing_if = "Area::is_whole")]
    pub area: Area,
}

/// Notifies everybody who listens to the room's events; the name is in `trigger_fired`.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TellEvent {
    /// Any text of 1 to 128 characters.
    #[schema(min_length = 1, max_length = 128)]
    pub event: String,
}

/// Swirls the picture.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TwirlAction {
    /// The twirl.
    pub twirl: Twirl,
}

/// A swirl to and fro, in the circle that is as wide as its area, about the area's middle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Twirl {
    /// Degrees that the middle is turned by at most.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = -3600, maximum = 3600)]
    pub angle: f64,
    /// Milliseconds for once to and fro.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = 100, maximum = 3600000)]
    pub period_ms: f64,
    /// The whole canvas when left out.
    #[serde(skip_serializing_if = "Area::is_whole")]
    pub area: Area,
}

/// Gives everybody a picture that goes along with them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IconsAction {
    /// The icons.
    pub icons: Icons,
}

/// Pictures for the people who are shown, one each, in an order that changes now and then.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Icons {
    /// Image assets. Who comes after the last of them gets no image.
    #[schema(min_items = 1, max_items = 100, extensions(("x-asset" = json!("image"))))]
    pub image: Vec<String>,
    /// Canvas pixels; the height follows.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = 1, maximum = 16384)]
    pub width: f64,
    /// The point of a person that the picture's middle is on; `nose` when left out.
    #[serde(skip_serializing_if = "is_nose")]
    pub keypoint: KeypointName,
    /// Canvas pixels to the right of it; 0 when left out.
    #[serde(serialize_with = "plain", skip_serializing_if = "is_none")]
    #[schema(minimum = -16384, maximum = 16384)]
    pub dx: f64,
    /// Canvas pixels below it; 0 when left out.
    #[serde(serialize_with = "plain", skip_serializing_if = "is_none")]
    #[schema(minimum = -16384, maximum = 16384)]
    pub dy: f64,
    /// Milliseconds from one order to the next.
    #[schema(minimum = 100, maximum = 3600000)]
    pub shuffle_ms: u32,
    /// Nothing is drawn outside; the whole canvas when left out.
    #[serde(skip_serializing_if = "Area::is_whole")]
    pub area: Area,
}

fn is_nose(keypoint: &KeypointName) -> bool {
    *keypoint == KeypointName::Nose
}

fn is_none(number: &f64) -> bool {
    *number == 0.0
}

/// Takes photographs in a frame that moves about.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolaroidAction {
    /// The polaroid.
    pub polaroid: Polaroid,
}

/// A frame is shown somewhere about the middle of its area; when its time is over the picture in it is taken (reported
/// by the event `photo_taken`) and it goes elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Polaroid {
    /// The frame's image asset.
    #[schema(extensions(("x-asset" = json!("image"))))]
    pub image: String,
    /// Of the frame, in canvas pixels.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = 1, maximum = 16384)]
    pub width: f64,
    /// Of the frame, in canvas pixels.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = 1, maximum = 16384)]
    pub height: f64,
    /// Of the picture that is taken, in canvas pixels, about the same middle.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = 2, maximum = 16384)]
    pub photo_width: f64,
    /// Of the picture that is taken, in canvas pixels.
    #[serde(serialize_with = "plain")]
    #[schema(minimum = 2, maximum = 16384)]
    pub photo_height: f64,
    /// Milliseconds from one picture to the next.
    #[schema(minimum = 100, maximum = 3600000)]
    pub every_ms: u32,
    /// A sound asset that is played with every picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, extensions(("x-asset" = json!("sound"))))]
    pub sound: Option<String>,
    /// Area in which it moves about: its middle is no further from this area's middle than 3/16 of the area's width and
    /// 1/6 of its height. Nothing is drawn outside. The whole canvas when left out.
    #[serde(skip_serializing_if = "Area::is_whole")]
    pub area: Area,
}

/// The keys of the objects that triggers are made of, by the objects' names in the OpenAPI document; in the order in
/// which people think of them. The reader knows no others.
pub const OBJECTS: [(&str, &[&str]); 15] = [
    ("LayoutTrigger", &Trigger::KEYS),
    ("TriggerCondition", &Condition::KEYS),
    ("TriggerArea", &Area::KEYS),
    ("ActivateScene", &["scene"]),
    ("ShowLayer", &ShowLayer::KEYS),
    ("PlaySound", &["sound"]),
    ("TakeSnapshot", &["snapshot"]),
    ("SnapshotShot", &Shot::KEYS),
    ("TellEvent", &["event"]),
    ("TwirlAction", &["twirl"]),
    ("Twirl", &Twirl::KEYS),
    ("IconsAction", &["icons"]),
    ("Icons", &Icons::KEYS),
    ("PolaroidAction", &["polaroid"]),
    ("Polaroid", &Polaroid::KEYS),
];

impl Trigger {
    pub(crate) const KEYS: [&str; 5] = ["id", "when", "do", "every_ms", "hold_off_ms"];
}

impl Condition {
    pub(crate) const KEYS: [&str; 4] = ["keypoint", "layers", "area", "absent"];
}

impl Area {
    pub(crate) const KEYS: [&str; 4] = ["left", "top", "right", "bottom"];
}

impl ShowLayer {
    pub(crate) const KEYS: [&str; 2] = ["show", "for_ms"];
}

impl Shot {
    pub(crate) const KEYS: [&str; 1] = ["area"];
}

impl Twirl {
    pub(crate) const KEYS: [&str; 3] = ["angle", "period_ms", "area"];
}

impl Icons {
    pub(crate) const KEYS: [&str; 7] = ["image", "width", "keypoint", "dx", "dy", "shuffle_ms", "area"];
}

impl Polaroid {
    pub(crate) const KEYS: [&str; 8] =
        ["image", "width", "height", "photo_width", "photo_height", "every_ms", "sound", "area"];
}

/// The keys of actions that name assets.
pub const ASSET_KEYS: [(AssetKind, &str); 2] = [(AssetKind::Image, "image"), (AssetKind::Sound, "sound")];

impl Trigger {
    /// Returns the assets that its actions need, with their kinds.
    pub fn assets(&self) -> impl Iterator<Item = (AssetKind, &str)> {
        self.actions.iter().flat_map(|action| {
            let (images, sound): (&[String], Option<&String>) = match action {
                Action::Icons(IconsAction { icons }) => (&icons.image, None),
                Action::Polaroid(PolaroidAction { polaroid }) => {
                    (std::slice::from_ref(&polaroid.image), polaroid.sound.as_ref())
                }
                Action::Sound(PlaySound { sound }) => (&[], Some(sound)),
                Action::Scene(_) | Action::Show(_) | Action::Snapshot(_) | Action::Event(_) | Action::Twirl(_) => {
                    (&[], None)
                }
            };
            let images = images.iter().map(|name| (AssetKind::Image, name.as_str()));
            images.chain(sound.map(|name| (AssetKind::Sound, name.as_str())))
        })
    }
}

#[cfg(test)]
mod tests;
