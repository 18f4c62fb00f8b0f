//! How moments are stored and shown.

use jiff::{Unit, tz::TimeZone};

use crate::Timestamp;

/// A moment as clients see it: RFC 3339, UTC, whole seconds.
#[must_use]
pub fn shown(moment: Timestamp) -> String {
    let rounded =
        moment.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc));
    rounded.unwrap_or(moment).to_zoned(TimeZone::UTC).timestamp().to_string()
}

/// Stores a moment as whole microseconds since the Unix epoch.
pub mod micros {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use crate::Timestamp;

    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(moment.as_microsecond())
    }

    /// # Errors
    /// Where the number is no moment.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        Timestamp::from_microsecond(i64::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }

    /// As the module, for a moment that may be absent.
    pub mod option {
        use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

        use crate::Timestamp;

        /// # Errors
        /// The serializer's.
        #[allow(clippy::ref_option, reason = "the shape that serde's `with` calls")]
        pub fn serialize<S: Serializer>(
            moment: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            moment.map(Timestamp::as_microsecond).serialize(serializer)
        }

        /// # Errors
        /// Where the number is no moment.
        pub fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            Option::<i64>::deserialize(deserializer)?
                .map(|micros| Timestamp::from_microsecond(micros).map_err(serde::de::Error::custom))
                .transpose()
        }
    }
}
