//! Sends a scenario's commands and checks its expectations over HTTP while it plays. Knows no broker; what an answer
//! must look like is the library's affair.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Map, Value, json};
use simulator::{CommandDeed, Deed, Expectation, Scenario};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until},
};

use super::output::note;

/// Between two looks at one answer.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long a command looks for something to act on.
const FIND_WITHIN: Duration = Duration::from_secs(10);

/// What became of one expectation or command.
#[derive(Debug)]
pub(crate) struct Verdict {
    at_s: f64,
    title: String,
    /// Why it failed.
    pub(crate) problem: Option<String>,
}

impl Verdict {
    pub(crate) fn record(&self) -> Value {
        json!({"at_s": self.at_s, "title": self.title, "ok": self.problem.is_none(), "problem": self.problem})
    }
}

/// Everything that is being checked.
pub(crate) struct Referee {
    checks: Vec<JoinHandle<Verdict>>,
}

#[derive(Clone)]
struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Referee {
    /// Begins to watch; the scenario begins now.
    pub(crate) fn call(api: &str, token: Option<&str>, scenario: &Scenario, speed: f64) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(10)).build().unwrap_or_default();
        let api = Api { client, base: api.trim_end_matches('/').to_owned(), token: token.map(str::to_owned) };
        let begun = Instant::now();
        let at = |at_s: f64| begun + Duration::from_secs_f64(at_s / speed);
        let mut checks = Vec::new();
        for expectation in &scenario.expectations {
            checks.push(tokio::spawn(expect(api.clone(), expectation.clone(), at(expectation.at_s))));
        }
        for action in &scenario.actions {
            if let Deed::Command(command) = &action.deed {
                checks.push(tokio::spawn(order(api.clone(), command.clone(), at(action.at_s), action.at_s)));
            }
        }
        Self { checks }
    }

    /// Waits for all of them; in the order of their moments.
    pub(crate) async fn verdicts(self) -> Vec<Verdict> {
        let mut verdicts = Vec::with_capacity(self.checks.len());
        for check in self.checks {
            match check.await {
                Ok(verdict) => verdicts.push(verdict),
                Err(error) => note(&format!("warning: a check was lost: {error}")),
            }
        }
        verdicts.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        verdicts
    }
}

async fn expect(api: Api, expectation: Expectation, at: Instant) -> Verdict {
    sleep_until(at).await;
    let until = at + Duration::from_secs_f64(expectation.within_s);
    let problem = loop {
        let problem = match api.get(&expectation.get).await {
            Ok(answer) => expectation.check(&answer).err(),
            Err(problem) => Some(problem),
        };
        if problem.is_none() || Instant::now() >= until {
            break problem;
        }
        sleep(LOOK_AGAIN).await;
    };
    announce(Verdict { at_s: expectation.at_s, title: expectation.to_string(), problem })
}

async fn order(api: Api, command: CommandDeed, at: Instant, at_s: f64) -> Verdict {
    sleep_until(at).await;
    let problem = api.order(&command, at + FIND_WITHIN).await.err();
    announce(Verdict { at_s, title: format!("POST {} answers {}", command.post, command.status), problem })
}

fn announce(verdict: Verdict) -> Verdict {
    match &verdict.problem {
        None => note(&format!("ok      {}", verdict.title)),
        Some(problem) => note(&format!("FAILED  {}\n        {problem}", verdict.title)),
    }
    verdict
}

impl Api {
    async fn get(&self, path: &str) -> Result<Value, String> {
        let (status, answer) = self.ask(Method::GET, path, None).await?;
        if status == 200 { Ok(answer) } else { Err(format!("status {status}: {answer}")) }
    }

    async fn order(&self, command: &CommandDeed, until: Instant) -> Result<(), String> {
        let id = match &command.find {
            Some(list) => self.find(list, until).await?,
            None => String::new(),
        };
        let path = command.post.replace("{id}", &id);
        let (status, answer) = self.ask(Method::POST, &path, Some(&command.body)).await?;
        if status == command.status { Ok(()) } else { Err(format!("status {status}: {answer}")) }
    }

    /// The id of a list's first record, as soon as there is one.
    async fn find(&self, list: &str, until: Instant) -> Result<String, String> {
        loop {
            let problem = match self.get(list).await {
                Ok(answer) => match answer.pointer("/data/0/id").and_then(Value::as_str) {
                    Some(id) => return Ok(id.to_owned()),
                    None => format!("GET {list} shows nothing to act on"),
                },
                Err(problem) => problem,
            };
            if Instant::now() >= until {
                return Err(problem);
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Map<String, Value>>) -> Result<(u16, Value), String> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| format!("no answer: {}", root(&error)))?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(|error| format!("the answer broke off: {error}"))?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
    }
}

/// The innermost cause: "connection refused" says more than "error sending request".
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    /// Answers every request with `status` and `body`, and returns where.
    async fn service(status: u16, body: &'static str) -> Api {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let read = socket.read(&mut [0; 4096]).await.unwrap();
                assert!(read > 0);
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        Api { client: Client::new(), base, token: Some("secret".to_owned()) }
    }

    fn expectation(query: &str) -> Expectation {
        let text = format!("at_s = 0\nwithin_s = 0.3\ntitle = 't'\nget = '/v1/alerts'\nquery = {{ {query} }}");
        toml::from_str(&text).unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_judged_and_a_wrong_one_is_asked_again_until_time_is_up() {
        let api = service(200, r#"{"data":[{"id":"20261124-1"}]}"#).await;
        let verdict = expect(api.clone(), expectation("count = 1"), Instant::now()).await;
        assert_eq!(verdict.problem, None);
        let verdict = expect(api, expectation("count = 2"), Instant::now()).await;
        assert_eq!(verdict.problem.as_deref(), Some("/data is 1, not 2"));
    }

    #[tokio::test]
    async fn a_command_acts_on_what_its_list_shows_first() {
        let command: CommandDeed =
            toml::from_str("find = '/v1/alerts'\npost = '/v1/alerts/{id}/acknowledge'\nbody = { by = 'kim' }").unwrap();
        let api = service(200, r#"{"data":[{"id":"20261124-1"}]}"#).await;
        assert_eq!(order(api, command.clone(), Instant::now(), 0.0).await.problem, None);
        let taken = service(409, r#"{"type":"already-taken"}"#).await;
        let direct = CommandDeed { find: None, ..command };
        let problem = order(taken, direct, Instant::now(), 0.0).await.problem.unwrap();
        assert!(problem.starts_with("status 409") && problem.contains("already-taken"), "{problem}");
    }
}
