//! After any single failed call to the database, every flow can be retried and ends well.

mod flows;
mod organizations;
mod outages;
mod people;

use crate::support::database::{Kind, On};
use crate::support::problem::UNAVAILABLE;
use crate::support::{Answer, TestApp};

/// Longer than any window in which one case could get into another's way.
const BETWEEN_CASES: i64 = 15 * 60;

const KINDS: [Kind; 5] =
    [Kind::Throttled, Kind::Conflict, Kind::AnswerLost, Kind::Failed, Kind::AnswerLostForGood];

/// One flow, from a state of its own for each case.
trait Flow {
    type State;

    /// What it starts from.
    async fn prepare(app: &TestApp, case: usize) -> Self::State;

    async fn run(app: &TestApp, state: &Self::State) -> Answer;

    /// The statuses of success: of the first call, and of one that follows a call which was told to retry.
    const DONE: u16;
    const DONE_AGAIN: &'static [u16] = &[Self::DONE];

    /// That all is well, after the answer that told of success.
    async fn check(app: &TestApp, state: &Self::State, last: Answer);
}

/// Lets each call of a flow fail in each way, alone.
async fn survives<F: Flow>() {
    let app = TestApp::start().await;
    let state = F::prepare(&app, 0).await;
    app.database.forget();
    assert_eq!(F::run(&app, &state).await.status, F::DONE);
    let calls = app.database.trace().0;
    assert!(!calls.is_empty());

    for (n, call) in calls.iter().enumerate() {
        // Only writes meet transactions.
        let kinds = KINDS.into_iter().filter(|kind| call.is_write() || *kind != Kind::Conflict);
        for (m, kind) in kinds.enumerate() {
            app.clock.advance(BETWEEN_CASES);
            let state = F::prepare(&app, 1 + n * KINDS.len() + m).await;
            app.database.forget();
            app.database.inject(On::First(call.label.clone()), kind);
            let answer = F::run(&app, &state).await;
            assert_eq!(app.database.heal(), 1, "the calls that met {kind:?} at {}", call.label);
            let answer = ends_well::<F>(&app, &state, answer, kind, &call.label).await;
            F::check(&app, &state, answer).await;
        }
    }
}

/// What the client sees: success, or to retry and then success.
async fn ends_well<F: Flow>(
    app: &TestApp,
    state: &F::State,
    answer: Answer,
    kind: Kind,
    call: &str,
) -> Answer {
    if answer.status == F::DONE {
        return answer;
    }
    let may_fail = matches!(kind, Kind::Failed | Kind::AnswerLostForGood);
    assert!(may_fail, "{kind:?} at {call}: {}", answer.json);
    answer.refuses(UNAVAILABLE);
    assert_eq!(answer.retry_after(), 1);
    let again = F::run(app, state).await;
    assert!(F::DONE_AGAIN.contains(&again.status), "after {kind:?} at {call}: {}", again.json);
    again
}
