//! How a conditional write ends: done, or lost to the item that stood in its way.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

use super::{Item, failed};
use crate::Error;

/// How a conditional write ended. Lost is no error: the flow decides what it means.
///
/// A write whose answer was lost on the way is sent again by the AWS client, and then loses to itself: each
/// flow must know its own work in the item it lost to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    Done,
    /// The condition did not hold; the item as it is, where there is one.
    Lost(Option<T>),
}

impl<T> Written<T> {
    /// The same outcome with what stood in the way read as a record.
    pub(super) fn try_map<U>(self, read: impl FnOnce(T) -> Result<U, Error>) -> Result<Written<U>, Error> {
        Ok(match self {
            Self::Done => Written::Done,
            Self::Lost(found) => Written::Lost(found.map(read).transpose()?),
        })
    }
}

/// Tells a condition that did not hold from every other failure.
pub(crate) trait Conditional: std::error::Error + Send + Sync + 'static {
    /// The item that stood in the way, where the condition did not hold.
    fn lost(&self) -> Option<Option<Item>>;
}

macro_rules! conditional {
    ($($error:ident),*) => {$(
        impl Conditional for $error {
            fn lost(&self) -> Option<Option<Item>> {
                match self {
                    Self::ConditionalCheckFailedException(lost) => Some(lost.item.clone()),
                    _ => None,
                }
            }
        }
    )*};
}

conditional!(DeleteItemError, PutItemError, UpdateItemError);

/// The outcome of a conditional request.
pub(crate) fn written<O, E, R>(outcome: Result<O, SdkError<E, R>>) -> Result<Written<Item>, Error>
where
    E: Conditional,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match outcome {
        Ok(_) => Ok(Written::Done),
        Err(error) => match error.as_service_error().and_then(Conditional::lost) {
            Some(found) => Ok(Written::Lost(found)),
            None => Err(failed(error)),
        },
    }
}
