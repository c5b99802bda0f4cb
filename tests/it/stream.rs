//! Readers that stay: the stream that is cut and resumed, the poller whose feed stops.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tests::{
    Broker, Home, eventually,
    http::Http,
    load::{Fleet, count, drive},
    messages,
    mqtt::Mqtt,
    one_at_a_time,
};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(10);

/// One server-sent event.
#[derive(Debug, Clone, Default)]
struct Sent {
    name: String,
    id: Option<String>,
    data: Value,
}

/// A stream being read.
struct Stream {
    response: reqwest::Response,
    unread: String,
    last_id: Option<String>,
}

impl Stream {
    async fn open(http: &Http, path: &str, last_id: Option<&str>) -> Self {
        // The client's own limit is for answers; a stream has none.
        let mut request = http.request(reqwest::Method::GET, path).timeout(Duration::from_secs(600));
        if let Some(id) = last_id {
            request = request.header("Last-Event-ID", id);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, unread: String::new(), last_id: last_id.map(str::to_owned) }
    }

    /// The next event; comments are skipped.
    async fn next(&mut self) -> Sent {
        loop {
            if let Some((head, rest)) = self.unread.split_once("\n\n") {
                let (block, rest) = (head.to_owned(), rest.to_owned());
                self.unread = rest;
                if let Some(sent) = parse(&block) {
                    self.last_id = sent.id.clone().or(self.last_id.take());
                    return sent;
                }
                continue;
            }
            let chunk = self.response.chunk().await.unwrap().expect("the stream stays open");
            self.unread.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// Reads until an event satisfies `is`, returning everything read.
    async fn until(&mut self, what: &str, is: impl Fn(&Sent) -> bool) -> Vec<Sent> {
        let mut read = Vec::new();
        let found = async {
            loop {
                let sent = self.next().await;
                let done = is(&sent);
                read.push(sent);
                if done {
                    return;
                }
            }
        };
        assert!(timeout(SOON, found).await.is_ok(), "not streamed: {what}; read {:?}", names(&read));
        read
    }
}

fn names(events: &[Sent]) -> Vec<&str> {
    events.iter().map(|sent| sent.name.as_str()).collect()
}

fn parse(block: &str) -> Option<Sent> {
    let mut sent = Sent::default();
    let mut data = String::new();
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut sent.name),
            "id" => sent.id = Some(value.to_owned()),
            "data" => data.push_str(value),
            _ => {}
        }
    }
    sent.data = serde_json::from_str(&data).unwrap_or(Value::Null);
    (!sent.name.is_empty()).then_some(sent)
}

#[tokio::test]
async fn a_cut_stream_resumes_without_a_reset_and_skips_nothing() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let send = async |vehicle: &str| {
        let body = messages::position(37.5, 127.0).to_string();
        mqtt.publish_acked(&messages::position_topic("22", vehicle), body, false).await;
    };
    let about = |id: &'static str| move |sent: &Sent| sent.data["id"] == id && sent.data["topic"] == "vehicles";

    let path = "/v1/stream?topics=vehicles,alerts";
    let mut stream = Stream::open(topis.http(), path, None).await;
    send("before").await;
    stream.until("the vehicle", about("22/before")).await;
    stream.until("a heartbeat with as_of", |s| s.name == "heartbeat" && s.data.to_string().contains("as_of")).await;
    let last = stream.last_id.clone().expect("events carry ids");
    drop(stream);

    // Cut, while the city goes on: TOPIS_CUT_S seconds of traffic, an alarm among it.
    let cut = Duration::from_secs(count("TOPIS_CUT_S", 3) as u64);
    send("during").await;
    let press = messages::panic("e").to_string();
    mqtt.publish_acked(&messages::alarm_topic("22", "during"), press, false).await;
    timeout(cut, drive(Fleet::new(50), home.broker_port(), 100.0)).await.ok();

    let mut stream = Stream::open(topis.http(), path, Some(&last)).await;
    send("after").await;
    let read = stream.until("the vehicle after the cut", about("22/after")).await;
    assert!(!names(&read).contains(&"reset"), "resumed without a reset: {:?}", names(&read));
    assert!(read.iter().any(about("22/during")), "what happened in the cut is told");
    let alarm = |sent: &Sent| sent.data["topic"] == "alerts" && sent.data["record"]["subject"] == "vehicle:22/during";
    assert!(read.iter().any(alarm), "and so is the alarm: {:?}", names(&read));
}

#[tokio::test]
async fn a_stream_of_another_epoch_is_told_to_start_anew() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mut stream = Stream::open(topis.http(), "/v1/stream", None).await;
    stream.until("a heartbeat", |sent| sent.name == "heartbeat").await;
    let last = stream.last_id.clone();
    drop(stream);
    topis.kill();
    let topis = home.start().await.unwrap();
    let mut stream = Stream::open(topis.http(), "/v1/stream", Some(last.as_deref().unwrap_or("0-0"))).await;
    stream.until("a reset", |sent| sent.name == "reset").await;
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_a_shutdown() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let mut stream = Stream::open(topis.http(), "/v1/stream", None).await;
    stream.until("a heartbeat", |sent| sent.name == "heartbeat").await;
    assert_eq!(topis.stop().await.unwrap().code(), Some(0));
}

fn seconds_between(earlier: &str, later: &str) -> f64 {
    let (earlier, later): (Timestamp, Timestamp) = (earlier.parse().unwrap(), later.parse().unwrap());
    later.duration_since(earlier).as_secs_f64()
}

/// The age a client counts for the vehicle in its cached body at the server's newest `as_of`.
fn counted_age(body: &Value, as_of: &str) -> f64 {
    let vehicle = &body["data"][0];
    vehicle["age_s"].as_f64().unwrap() + seconds_between(body["meta"]["as_of"].as_str().unwrap(), as_of)
}

#[tokio::test]
async fn no_answer_to_a_conditional_poller_reads_live_after_the_feed_stopped() {
    let _turn = one_at_a_time().await;
    let home = Home::new(Broker::Embedded);
    let topis = home.start().await.unwrap();
    let http = topis.http();
    let mqtt = Mqtt::connect(home.broker_port()).await.unwrap();
    let body = messages::position(37.5, 127.0).to_string();
    mqtt.publish_acked(&messages::position_topic("22", "1"), body, false).await;
    eventually("the vehicle", SOON, async || http.find("/v1/vehicles/22/1").await).await;

    // A vehicle is live for 30 s after its last word; one publication of slack.
    const LIVE_S: f64 = 30.0 + 1.5;
    let mut cached: Option<(String, Value)> = None;
    let mut not_modified = 0;
    eventually("the vehicle reads aging", Duration::from_secs(50), async || {
        let mut request = http.request(reqwest::Method::GET, "/v1/vehicles");
        if let Some((tag, _)) = &cached {
            request = request.header("If-None-Match", tag);
        }
        let answer = http.send(request).await.unwrap();
        let as_of = answer.header("topis-as-of").expect("every answer says as of when").to_owned();
        if answer.status == 304 {
            assert!(answer.text.is_empty());
            not_modified += 1;
        } else {
            assert_eq!(answer.status, 200, "{}", answer.text);
            cached = Some((answer.header("etag").expect("a collection has an ETag").to_owned(), answer.json()));
        }
        let (_, body) = cached.as_ref().expect("the first answer is whole");
        let live = body["data"][0]["freshness"] == "live";
        let age = counted_age(body, &as_of);
        assert!(!live || age <= LIVE_S, "reads live at an age of {age:.1} s");
        (body["data"][0]["freshness"] == "aging").then_some(())
    })
    .await;
    assert!(not_modified > 10, "the poller was mostly answered 304, {not_modified} times");
}
