//! Interim answers (RFC 9110 15.2), which a site may send before the one that counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::Request;
use hyper::ext::on_informational;
use tokio::sync::Notify;

/// The most interim answers to one request. A site has cause for one or two; the parser drops each as it comes, so
/// that without a bound they would be read for as long as the answer may take.
pub const INTERIM_COUNT_LIMIT: usize = 16;

/// Tells when a site has sent more interim answers to a request than it may.
pub(super) struct Interim(Arc<Notify>);

impl Interim {
    /// Counts what comes in answer to `request`.
    pub fn of<B>(request: &mut Request<B>) -> Self {
        let (count, over) = (AtomicUsize::new(0), Arc::new(Notify::new()));
        let told = Arc::clone(&over);
        on_informational(request, move |_| {
            if count.fetch_add(1, Ordering::Relaxed) == INTERIM_COUNT_LIMIT {
                told.notify_one();
            }
        });
        Self(over)
    }

    /// Ends when the site has sent too many, and otherwise never.
    pub async fn too_many(&self) {
        self.0.notified().await;
    }
}
