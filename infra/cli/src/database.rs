//! The local DynamoDB: an emulator in this process, served over HTTP so that the AWS SDK talks to it as it
//! talks to AWS.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use dynoxide::Database as Engine;
use dynoxide::actions::create_table::CreateTableRequest;
use dynoxide::actions::update_time_to_live::{TimeToLiveSpecification, UpdateTimeToLiveRequest};
use dynoxide::errors::DynoxideError;
use dynoxide::types::{AttributeDefinition, KeySchemaElement, KeyType, ScalarAttributeType};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::template::TableSpec;

/// The file's name inside the folder given with `--data`.
const FILE: &str = "dynamodb.sqlite";

/// How long a stop waits for requests that are still running.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// A running database; it ends with [`stop`](Self::stop), or when it is dropped.
#[derive(Debug)]
pub struct Database {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), String>>,
}

/// A database that could not start.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    #[error("the local database cannot be opened: {0}")]
    Open(String),
    #[error("the table {table} cannot be made: {cause}")]
    Table { table: String, cause: String },
    #[error("the local database cannot listen on 127.0.0.1: {0}")]
    Listen(#[from] std::io::Error),
}

impl Database {
    /// Opens the database in `folder`, or in memory, makes the tables that are missing, and serves it on a
    /// free port of 127.0.0.1.
    ///
    /// # Errors
    /// Where the file cannot be opened, a table cannot be made, or no port is free.
    pub async fn start(folder: Option<&Path>, tables: &[TableSpec]) -> Result<Self, DatabaseError> {
        let engine = open(folder)?;
        for table in tables {
            create(&engine, table).map_err(|cause| DatabaseError::Table {
                table: table.local_name(),
                cause: cause.to_string(),
            })?;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, engine, async {
            // A dropped sender is a stop too.
            let _ = stopped.await;
        }));
        Ok(Self { address, stop, server })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets running requests end, closes the file and so flushes it.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        if tokio::time::timeout(STOP_LIMIT, self.server).await.is_err() {
            tracing::warn!("the local database still had requests running when it was stopped");
        }
    }
}

fn open(folder: Option<&Path>) -> Result<Engine, DatabaseError> {
    let Some(folder) = folder else {
        return Engine::memory().map_err(|cause| DatabaseError::Open(cause.to_string()));
    };
    let file = folder.join(FILE);
    make_private(&file).map_err(|cause| DatabaseError::Open(format!("{}: {cause}", file.display())))?;
    let name = file.to_str().ok_or_else(|| DatabaseError::Open("its path is not UTF-8".to_owned()))?;
    Engine::new(name).map_err(|cause| DatabaseError::Open(format!("{name}: {cause}")))
}

/// Makes the file for its owner alone; one that is there stays as it is.
fn make_private(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

fn create(engine: &Engine, table: &TableSpec) -> Result<(), DynoxideError> {
    let name = table.local_name();
    let keys: Vec<(&String, KeyType)> = std::iter::once((&table.partition_key, KeyType::HASH))
        .chain(table.sort_key.iter().map(|key| (key, KeyType::RANGE)))
        .collect();
    let made = engine.create_table(CreateTableRequest {
        table_name: name.clone(),
        key_schema: keys
            .iter()
            .map(|(name, kind)| KeySchemaElement { attribute_name: (*name).clone(), key_type: kind.clone() })
            .collect(),
        attribute_definitions: keys
            .iter()
            .map(|(name, _)| AttributeDefinition {
                attribute_name: (*name).clone(),
                attribute_type: ScalarAttributeType::S,
            })
            .collect(),
        billing_mode: Some("PAY_PER_REQUEST".to_owned()),
        ..CreateTableRequest::default()
    });
    match made {
        Ok(_) => {}
        // A file from an earlier start has it, and with it the rest.
        Err(DynoxideError::ResourceInUseException(_)) => return Ok(()),
        Err(fault) => return Err(fault),
    }
    if let Some(attribute) = &table.ttl_attribute {
        engine.update_time_to_live(UpdateTimeToLiveRequest {
            table_name: name,
            time_to_live_specification: TimeToLiveSpecification {
                attribute_name: attribute.clone(),
                enabled: true,
            },
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use dynoxide::actions::describe_table::DescribeTableRequest;
    use dynoxide::actions::describe_time_to_live::DescribeTimeToLiveRequest;

    use super::*;
    use crate::template::Template;

    #[test]
    fn tables_have_the_keys_and_the_ttl_of_the_template() {
        let engine = open(None).unwrap();
        for table in &Template::compiled_in().unwrap().tables {
            create(&engine, table).unwrap();
            let table_name = table.local_name();
            let described =
                engine.describe_table(DescribeTableRequest { table_name: table_name.clone() }).unwrap();
            let keys: Vec<String> =
                described.table.key_schema.iter().map(|key| key.attribute_name.clone()).collect();
            let expected: Vec<String> =
                std::iter::once(table.partition_key.clone()).chain(table.sort_key.clone()).collect();
            assert_eq!(keys, expected, "{table_name}");
            let ttl = engine.describe_time_to_live(DescribeTimeToLiveRequest { table_name }).unwrap();
            let ttl = serde_json::to_value(ttl).unwrap();
            let attribute = ttl["TimeToLiveDescription"]["AttributeName"].as_str();
            assert_eq!(attribute, table.ttl_attribute.as_deref());
        }
    }

    #[tokio::test]
    async fn a_file_is_made_once_and_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let tables = Template::compiled_in().unwrap().tables;
        for _ in 0..2 {
            let database = Database::start(Some(folder.path()), &tables).await.unwrap();
            assert!(database.url().starts_with("http://127.0.0.1:"));
            database.stop().await;
        }
        assert!(folder.path().join(FILE).exists());
    }
}
