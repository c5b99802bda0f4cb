//! What gives way in the telemetry lane, and what does not.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use bytes::Bytes;
use ingest::{EmergencyLane, Frame, LaneCounts, LaneLimits, Lanes};
use transit::UtcMillis;

use crate::support::within;

fn frame(topic: &str, payload: &str) -> Frame {
    Frame {
        topic: topic.into(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        qos: 0,
        retained: false,
        dup: false,
        received_at: UtcMillis(0),
    }
}

fn tight() -> Lanes {
    let limits = LaneLimits { workers: 1, capacity: 2, hard_capacity: 4, overflow_topics: 2, ..LaneLimits::default() };
    Lanes::new(limits, Arc::new(|topic, _| topic.ends_with("/position")))
}

/// Everything queued, `topic=payload`, in the order a worker gets it.
async fn drained(lanes: &Lanes) -> String {
    let (mut batch, mut all) = (Vec::new(), Vec::new());
    lanes.close();
    while within("a batch", lanes.queues()[0].next_batch(&mut batch, 100)).await {
        all.extend(batch.iter().map(|f| format!("{}={}", f.topic, std::str::from_utf8(&f.payload).unwrap())));
    }
    all.join(" ")
}

#[tokio::test]
async fn below_capacity_nothing_is_asked_and_order_is_kept() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let classify = move |_: &str, _: &[u8]| counter.fetch_add(1, Relaxed) == u32::MAX;
    let lanes = Lanes::new(LaneLimits { workers: 1, ..LaneLimits::default() }, Arc::new(classify));
    for n in 0..5 {
        lanes.push(frame("a/position", &n.to_string()));
    }
    assert_eq!(drained(&lanes).await, "a/position=0 a/position=1 a/position=2 a/position=3 a/position=4");
    assert_eq!(asked.load(Relaxed), 0);
}

#[tokio::test]
async fn above_capacity_the_newest_position_of_each_topic_stays() {
    let lanes = tight();
    for (topic, payload) in
        [("x/position", "1"), ("x/position", "2"), ("a/position", "1"), ("b/position", "1"), ("a/position", "2")]
    {
        lanes.push(frame(topic, payload));
    }
    let counts = LaneCounts { received: 5, coalesced: 1, depth: 4, ..LaneCounts::default() };
    assert_eq!(lanes.counters(), counts);
    assert_eq!(drained(&lanes).await, "x/position=1 x/position=2 a/position=2 b/position=1");
}

#[tokio::test]
async fn too_many_topics_drop_positions_and_count_them() {
    let lanes = tight();
    for topic in ["x/position", "y/position", "a/position", "b/position", "c/position"] {
        lanes.push(frame(topic, "1"));
    }
    assert_eq!(lanes.counters().dropped_positions, 1);
    assert_eq!(drained(&lanes).await, "x/position=1 y/position=1 a/position=1 b/position=1");
}

#[tokio::test]
async fn a_stop_message_is_never_coalesced_and_dropped_only_at_the_hard_bound() {
    let lanes = tight();
    for n in 0..5 {
        lanes.push(frame("a/stop", &n.to_string()));
    }
    let counts = lanes.counters();
    assert_eq!((counts.coalesced, counts.dropped_positions, counts.dropped_events), (0, 0, 1));
    assert_eq!(drained(&lanes).await, "a/stop=0 a/stop=1 a/stop=2 a/stop=3");
}

#[tokio::test]
async fn under_lasting_overload_what_waits_aside_gets_half_of_every_batch() {
    let limits = LaneLimits { workers: 1, capacity: 4, hard_capacity: 8, overflow_topics: 8, ..LaneLimits::default() };
    let lanes = Lanes::new(limits, Arc::new(|_, _| true));
    for topic in ["1", "2", "3", "4", "a", "b", "c"] {
        lanes.push(frame(topic, ""));
    }
    let mut batch = Vec::new();
    assert!(within("a batch", lanes.queues()[0].next_batch(&mut batch, 4)).await);
    let topics: Vec<&str> = batch.iter().map(|frame| &*frame.topic).collect();
    assert_eq!(topics, ["1", "2", "a", "b"]);
}

#[test]
fn a_newer_position_takes_the_place_of_a_smaller_one_only_within_the_bytes() {
    let limits = LaneLimits { workers: 1, capacity: 0, bytes: 1_000, ..LaneLimits::default() };
    let lanes = Lanes::new(limits, Arc::new(|_, _| true));
    for (topic, length) in [("a/position", 400), ("b/position", 400), ("a/position", 700), ("a/position", 300)] {
        lanes.push(frame(topic, &"x".repeat(length)));
    }
    let counts = lanes.counters();
    assert_eq!((counts.depth, counts.coalesced, counts.dropped_positions), (2, 1, 1));
}

#[tokio::test]
async fn large_frames_are_bounded_by_their_bytes_and_taken_few_at_a_time() {
    let limits = LaneLimits { workers: 1, bytes: 1_000_000, ..LaneLimits::default() };
    let lanes = Lanes::new(limits, Arc::new(|topic, _| topic.ends_with("/position")));
    let dataset = "x".repeat(300_000);
    for _ in 0..4 {
        lanes.push(frame("gtfs-rt", &dataset));
    }
    lanes.push(frame("a/position", &dataset));
    let counts = lanes.counters();
    assert_eq!((counts.depth, counts.dropped_events, counts.dropped_positions), (3, 1, 1));
    let (mut batch, mut sizes) = (Vec::new(), Vec::new());
    lanes.close();
    while within("a batch", lanes.queues()[0].next_batch(&mut batch, 100)).await {
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [2, 1]);
    // What was taken has made room.
    lanes.push(frame("gtfs-rt", &"x".repeat(2_000_000)));
    assert_eq!(lanes.counters().depth, 1, "one frame is always taken");
}

#[tokio::test]
async fn a_waiting_worker_wakes_for_a_frame_and_for_the_end() {
    let lanes = Arc::new(tight());
    let worker = tokio::spawn({
        let queue = Arc::clone(&lanes.queues()[0]);
        async move {
            let (mut batch, mut frames) = (Vec::new(), 0);
            while queue.next_batch(&mut batch, 10).await {
                frames += batch.len();
            }
            frames
        }
    });
    lanes.push(frame("a", ""));
    tokio::task::yield_now().await;
    lanes.push(frame("b", ""));
    lanes.close();
    assert_eq!(within("the worker's end", worker).await.unwrap(), 2);
}

#[test]
fn a_topic_always_goes_to_the_same_worker() {
    let limits = LaneLimits { workers: 4, ..LaneLimits::default() };
    let lanes = Lanes::new(limits, Arc::new(|_, _| true));
    for vehicle in 0..1000 {
        for _ in 0..2 {
            lanes.push(frame(&format!("topis/v1/vehicle/a/{vehicle}/position"), ""));
        }
    }
    for queue in lanes.queues() {
        let depth = queue.len();
        assert!(depth % 2 == 0 && (300..700).contains(&depth), "{depth} of 2,000 frames in one of 4 queues");
    }
}

#[test]
fn each_queue_of_the_emergency_lane_has_room_for_two_windows_and_a_share_of_qos_0() {
    let (lane, frames) = EmergencyLane::new(8, Arc::new(|_, _| false));
    assert_eq!((frames.urgent.max_capacity(), frames.others.max_capacity(), lane.counters().depth), (24, 24, 0));
}

#[tokio::test]
async fn what_may_wait_stands_apart_and_fills_only_its_own_queue() {
    let (lane, mut frames) = EmergencyLane::new(2, Arc::new(|_, payload| payload == b"call"));
    let alarm = |payload: &'static str| lane.divert(frame("topis/v1/vehicle/22/8001/alarm", payload));
    for payload in ["call", "press", "call", "call", "press"] {
        alarm(payload);
    }
    let mut taken = Vec::new();
    for queue in [&mut frames.urgent, &mut frames.others] {
        while let Ok(emergency) = queue.try_recv() {
            taken.push(emergency.frame.payload.clone());
            emergency.done.recorded();
        }
    }
    assert_eq!(taken, ["press", "press", "call", "call"]);
    assert_eq!((lane.counters().qos0_shed, lane.counters().depth), (1, 0), "the third call");
}

#[tokio::test]
async fn the_bytes_that_wait_are_bounded_and_come_free_when_a_frame_is_settled() {
    let (lane, mut frames) = EmergencyLane::new(1_000, Arc::new(|_, _| false));
    let body = Bytes::from(vec![b' '; 1024 * 1024]);
    let big = || lane.divert(Frame { payload: body.clone(), ..frame("topis/v1/vehicle/22/8001/alarm", "") });
    for _ in 0..70 {
        big();
    }
    assert_eq!((lane.counters().received, lane.counters().qos0_shed), (63, 7), "64 MiB, each a little above one");
    let first = frames.urgent.try_recv().unwrap();
    big();
    assert_eq!(lane.counters().qos0_shed, 8, "read and not settled, it still counts");
    first.done.recorded();
    big();
    assert_eq!((lane.counters().received, lane.counters().qos0_shed), (64, 8));
}
