//! The schedule of the keyring: makes the keys that are missing, and rotates those that are old.

use latchkey::app::{Action, EventFunction, Needs, Setting};
use latchkey::clock::Clock;
use latchkey::config::{Config, rotation_days};
use latchkey::crypto::keyring::{self, InitReport, Purpose, RotateReport};
use latchkey::crypto::provider::Provider;
use latchkey::error::{Cause, Error};
use latchkey::store::{Store, Table};
use serde_json::{Value, json};

/// This function, as it is deployed; the local stack makes its keys itself.
pub static FUNCTION: EventFunction<Rotation> = EventFunction {
    needs: Needs {
        name: "rotate",
        tables: &[(Table::Secrets, &[Action::PutItem])],
        // It authenticates the public keys of the others.
        purposes: &[Purpose::KeyPepper],
        makes: &Purpose::ALL,
        settings: &[Setting::RotationDays],
        ..Needs::NOTHING
    },
    start: |needs| Box::pin(std::future::ready(Rotation::from_environment(needs))),
    handle: |rotation, _| Box::pin(rotation.run()),
};

/// What a rotation works with.
#[derive(Debug)]
pub struct Rotation {
    provider: Provider,
    store: Store,
    /// The age, in days, at which a key is rotated.
    days: i64,
    clock: Clock,
}

impl Rotation {
    fn from_environment(needs: &Needs) -> Result<Self, Cause> {
        let config = Config::from_environment(needs)?;
        let provider = Provider::connect(&config.keys, &config.aws)?;
        Ok(Self { provider, store: Store::connect(&config), days: rotation_days()?, clock: Clock::System })
    }

    /// Does what is due. The event says nothing that matters, and may come twice.
    async fn run(&self) -> Result<Value, Error> {
        let now = self.clock.now();
        let (made, rotated) = keyring::tend(&self.provider, &self.store, self.days, now).await?;
        let report = report(&made, &rotated);
        tracing::info!(function = FUNCTION.needs.name, %report, "the keys are in order");
        Ok(report)
    }
}

/// What was done, by the purposes' names.
fn report(made: &InitReport, rotated: &[RotateReport]) -> Value {
    let created: Vec<&str> = made.created.iter().map(|purpose| purpose.name()).collect();
    let rotated: Vec<&str> = rotated.iter().map(|report| report.purpose.name()).collect();
    json!({ "created": created, "rotated": rotated })
}
