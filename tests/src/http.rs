//! A client of the HTTP contract: paths in, status, headers and JSON out.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

/// One answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Header names in lower case with their values.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    base: String,
}

impl Http {
    /// A client that gives up after 40 s, longer than the longest poll.
    ///
    /// # Panics
    /// When no client can be built, which needs nothing that could fail.
    pub fn new(address: SocketAddr) -> Self {
        let client = Client::builder()
            .timeout(Duration::from_secs(40))
            .connect_timeout(Duration::from_secs(2))
            .no_proxy()
            .build()
            .expect("a plain HTTP client");
        Self { client, base: format!("http://{address}") }
    }

    /// Where it asks, without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request to be completed by the caller.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends a request.
    ///
    /// # Errors
    /// No answer: refused, cut or too late. Any status is an answer.
    pub async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response
            .headers()
            .iter()
            .map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()))
            .collect();
        Ok(Answer { status, headers, text: response.text().await? })
    }

    /// GET.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(self.request(Method::GET, path)).await
    }

    /// GET of a body that must be there: its JSON when the status is 200, else nothing.
    pub async fn find(&self, path: &str) -> Option<Value> {
        self.get(path).await.ok().filter(|answer| answer.status == 200).map(|answer| answer.json())
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// The records of a collection.
    ///
    /// # Panics
    /// When the answer is not 200 with a `data` list.
    pub async fn list(&self, path: &str) -> Vec<Value> {
        let answer = self.get(path).await.unwrap_or_else(|e| panic!("GET {path}: {e:#}"));
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text);
        let data = answer.json()["data"].take();
        data.as_array().cloned().unwrap_or_else(|| panic!("GET {path}: `data` is no list but {data}"))
    }
}
