//! Two writes of one item at once, one of them in a transaction: DynamoDB refuses one of them unmade. The AWS
//! client does not send such a write again by itself.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::CancellationReason;

/// Lets the AWS client send a write again that met another: two sign-ins of one user at once check one account.
#[derive(Debug)]
pub(super) struct RetryConflicts;

impl ClassifyRetry for RetryConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else { return RetryAction::NoActionIndicated };
        let Some(error) = error.as_operation_error() else { return RetryAction::NoActionIndicated };
        let is_conflict = match (
            error.downcast_ref::<TransactWriteItemsError>(),
            error.downcast_ref::<UpdateItemError>(),
            error.downcast_ref::<PutItemError>(),
            error.downcast_ref::<DeleteItemError>(),
        ) {
            (Some(TransactWriteItemsError::TransactionCanceledException(cancelled)), ..) => {
                only_conflicts(cancelled.cancellation_reasons())
            }
            (_, Some(error), ..) => error.is_transaction_conflict_exception(),
            (_, _, Some(error), _) => error.is_transaction_conflict_exception(),
            (.., Some(error)) => error.is_transaction_conflict_exception(),
            _ => false,
        };
        if is_conflict { RetryAction::transient_error() } else { RetryAction::NoActionIndicated }
    }

    fn name(&self) -> &'static str {
        "conflicts of transactions"
    }
}

/// Whether nothing but conflicts stood in the way: a condition that does not hold will not hold the next time.
fn only_conflicts(reasons: &[CancellationReason]) -> bool {
    let mut codes =
        reasons.iter().filter_map(CancellationReason::code).filter(|&code| code != "None").peekable();
    codes.peek().is_some() && codes.all(|code| code == "TransactionConflict")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cancelled(codes: &[&str]) -> bool {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        only_conflicts(&codes.iter().map(reason).collect::<Vec<_>>())
    }

    #[test]
    fn only_conflicts_are_tried_again() {
        assert!(cancelled(&["None", "TransactionConflict"]));
        assert!(!cancelled(&["ConditionalCheckFailed", "TransactionConflict"]));
        assert!(!cancelled(&["None", "None"]));
        assert!(!cancelled(&[]));
    }
}
