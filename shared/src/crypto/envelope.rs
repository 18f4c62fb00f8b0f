//! What the secrets table holds: for each purpose its versions, each a wrapped data key.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::purpose::Purpose;

/// The first byte of an envelope, and the number in an item's `format`.
pub(super) const FORMAT: u8 = 1;

/// Who wrapped a data key: the second byte of an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapper {
    Kms,
    File,
}

/// A wrapped data key with two bytes before it: the format and who wrapped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    pub(super) wrapper: Wrapper,
    pub(super) wrapped: Vec<u8>,
}

impl Envelope {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let wrapper = match self.wrapper {
            Wrapper::Kms => 1,
            Wrapper::File => 2,
        };
        [&[FORMAT, wrapper], self.wrapped.as_slice()].concat()
    }

    /// `None` where the format or the wrapper is not known here.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (&[format, wrapper], wrapped) = bytes.split_first_chunk()?;
        let wrapper = match wrapper {
            1 => Wrapper::Kms,
            2 => Wrapper::File,
            _ => return None,
        };
        (format == FORMAT && !wrapped.is_empty()).then(|| Self { wrapper, wrapped: wrapped.to_vec() })
    }
}

/// The item of one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyRecord {
    /// The purpose's name; the partition key.
    pub purpose: String,
    /// The format of this item.
    pub format: u8,
    /// One more with every change; a write says which one it read.
    pub revision: u64,
    /// Newest first.
    pub versions: Vec<KeyVersion>,
}

/// One version of a purpose's data key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyVersion {
    /// Twelve hexadecimal digits at random; the `kid` of what it signs.
    pub id: String,
    pub envelope: ByteBuf,
    /// In seconds since the Unix epoch, as the two below.
    pub created_at: i64,
    /// When it may start to write. Until then it is only known, so that whoever reads knows it in time.
    pub activates_at: i64,
    /// When nothing that it wrote may be read any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retires_at: Option<i64>,
    /// The public half, of a signing purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicPart>,
}

impl KeyVersion {
    pub(crate) fn is_retired(&self, now: i64) -> bool {
        self.retires_at.is_some_and(|at| at <= now)
    }
}

/// A public key with a MAC over it, so that whoever may write to the table cannot add one of his own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PublicPart {
    /// The Ed25519 public key.
    pub key: ByteBuf,
    /// The version of `key-pepper` that the MAC was made with.
    pub mac_key: String,
    pub mac: ByteBuf,
}

impl KeyRecord {
    /// The first item of `purpose`.
    pub(super) fn first(purpose: Purpose, version: KeyVersion) -> Self {
        Self { purpose: purpose.name().to_owned(), format: FORMAT, revision: 1, versions: vec![version] }
    }

    /// The record with `version` before the others. Those that still write get their end: `writes_until`
    /// plus the purpose's reading time. Those whose end has passed are dropped and named.
    pub(super) fn rotated(
        &self,
        purpose: Purpose,
        version: KeyVersion,
        writes_until: i64,
        now: i64,
    ) -> (Self, Vec<String>) {
        let mut next = Self { revision: self.revision + 1, versions: vec![version], ..self.clone() };
        let mut dropped = Vec::new();
        for mut old in self.versions.iter().cloned() {
            if old.is_retired(now) {
                dropped.push(old.id);
                continue;
            }
            if old.retires_at.is_none() {
                old.retires_at = purpose.reads_for().map(|seconds| writes_until.saturating_add(seconds));
            }
            next.versions.push(old);
        }
        (next, dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(id: &str, created_at: i64) -> KeyVersion {
        KeyVersion {
            id: id.to_owned(),
            envelope: ByteBuf::from([1, 2, 3]),
            created_at,
            activates_at: created_at,
            retires_at: None,
            public: None,
        }
    }

    fn ids(record: &KeyRecord) -> Vec<&str> {
        record.versions.iter().map(|version| version.id.as_str()).collect()
    }

    #[test]
    fn an_envelope_reads_back_and_refuses_what_it_does_not_know() {
        for wrapper in [Wrapper::Kms, Wrapper::File] {
            let envelope = Envelope { wrapper, wrapped: vec![9; 4] };
            assert_eq!(Envelope::parse(&envelope.to_bytes()), Some(envelope));
        }
        for bytes in [&[][..], &[1], &[1, 1], &[2, 1, 0], &[1, 3, 0], &[0, 1, 0]] {
            assert_eq!(Envelope::parse(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn rotation_keeps_what_may_still_be_read() {
        let record = KeyRecord::first(Purpose::SessionMac, version("a", 0));
        let (record, dropped) = record.rotated(Purpose::SessionMac, version("b", 100), 200, 100);
        assert_eq!((ids(&record), record.revision), (vec!["b", "a"], 2));
        assert!(dropped.is_empty());
        assert_eq!(record.versions[1].retires_at, Some(200 + 40 * 60));

        let (record, dropped) =
            record.rotated(Purpose::SessionMac, version("c", 300), 400, 200 + 40 * 60 - 1);
        assert_eq!(ids(&record), ["c", "b", "a"]);
        assert!(dropped.is_empty());
        let (record, dropped) = record.rotated(Purpose::SessionMac, version("d", 3000), 4000, 200 + 40 * 60);
        assert_eq!(ids(&record), ["d", "c", "b"]);
        assert_eq!(dropped, ["a"]);
    }

    #[test]
    fn what_is_read_for_ever_never_retires() {
        let record = KeyRecord::first(Purpose::KeyPepper, version("a", 0));
        let (record, _) = record.rotated(Purpose::KeyPepper, version("b", 1), 2, 1);
        let (record, dropped) =
            record.rotated(Purpose::KeyPepper, version("c", i64::MAX - 2), i64::MAX, i64::MAX);
        assert_eq!(ids(&record), ["c", "b", "a"]);
        assert!(dropped.is_empty());
    }
}
