//! Waiting for a condition, never for a time.

use std::time::Duration;

use tokio::{
    sync::{Mutex, MutexGuard},
    time::{interval, timeout},
};

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Asks `poll` until it answers, at most for `within`.
///
/// # Panics
/// When it has not answered by then, naming `what`.
pub async fn eventually<T>(what: &str, within: Duration, mut poll: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = async {
        let mut look = interval(LOOK_EVERY);
        loop {
            look.tick().await;
            if let Some(found) = poll().await {
                return found;
            }
        }
    };
    match timeout(within, asked).await {
        Ok(found) => found,
        Err(_) => panic!("not within {within:?}: {what}"),
    }
}

/// Tests that start processes hold this, so that their deadlines are about the service and not about each other.
pub async fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}
