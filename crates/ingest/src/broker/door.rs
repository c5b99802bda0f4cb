//! The door between the embedded broker and the lanes: its hooks.
//!
//! Every message that a client publishes passes here before the broker acknowledges or forwards it. An emergency is
//! queued and its verdict awaited, so the PUBACK means that it is on disk; a telemetry frame goes straight into its
//! lane, which saves a loopback connection and its share of two cores.
//!
//! rmqtt asks `MessagePublish` before the access rules and can refuse nothing there, so the door stands in
//! `MessagePublishCheckAcl`, which comes after it, refuses with a reason and is awaited just the same. A Will passes
//! only `MessagePublish`: its access is checked when the client connects.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use rmqtt::{
    codec::v5::{PublishAckReason, SubscribeAckReason},
    context::ServerContext,
    hook::{Handler, HookResult, Parameter, Register, ReturnType, Type},
    session::Session,
    types::{
        AuthResult, ConnectInfo, From, FromType, Id, LastWill, Publish, PublishAclResult, PublishResult,
        SubscribeAclResult,
    },
};

use super::access::{Access, SERVICE};
use crate::{Clock, EmergencyLane, Filter, Frame, Lanes, TopicTest, emergency::Verdict};

/// A publisher whose alarm could not be recorded is held this long before it is disconnected: clients come back at
/// once and send again, and a full disk is not helped by haste.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);

/// Protocol version of MQTT 5, the first that knows a negative acknowledgement.
const MQTT_5: u8 = 5;

/// What the hooks need.
pub(super) struct Door {
    pub(super) access: Access,
    pub(super) lanes: Arc<Lanes>,
    pub(super) telemetry: Vec<Filter>,
    pub(super) emergency: EmergencyLane,
    pub(super) is_emergency: TopicTest,
    pub(super) clock: Clock,
    /// To see who holds a client id. The broker holds its hooks, so this is emptied when it stops.
    pub(super) broker: Mutex<Option<ServerContext>>,
    /// Clients are being disconnected by us: their Wills say nothing.
    pub(super) stopping: AtomicBool,
}

/// The door as the broker library sees it.
struct Hooks(Arc<Door>);

/// Hangs the door into the broker.
pub(super) async fn hang(door: &Arc<Door>, register: &dyn Register) {
    for hook in
        [Type::ClientAuthenticate, Type::ClientSubscribeCheckAcl, Type::MessagePublishCheckAcl, Type::MessagePublish]
    {
        register.add(hook, Box::new(Hooks(Arc::clone(door)))).await;
    }
    register.start().await;
}

#[async_trait]
#[expect(elided_lifetimes_in_paths, reason = "written out, the lifetime differs from the library's trait")]
impl Handler for Hooks {
    async fn hook(&self, param: &Parameter, acc: Option<HookResult>) -> ReturnType {
        let door = &self.0;
        if let Parameter::MessagePublishCheckAcl(session, publish) = param {
            (false, Some(HookResult::PublishAclResult(door.publish(session, publish).await)))
        } else if let Parameter::MessagePublish(_, from, publish) = param {
            if matches!(from.typ(), FromType::LastWill) {
                door.will(from, publish).await;
            }
            (true, acc)
        } else if let Parameter::ClientAuthenticate(connect) = param {
            (false, Some(HookResult::AuthResult(door.admit(connect).await)))
        } else if let Parameter::ClientSubscribeCheckAcl(session, wanted) = param {
            let verdict = if door.access.may_subscribe(user_of(&session.id), &wanted.topic_filter) {
                SubscribeAclResult::new_success(wanted.opts.qos(), None)
            } else {
                refused("subscribe");
                SubscribeAclResult::new_failure(SubscribeAckReason::NotAuthorized)
            };
            (false, Some(HookResult::SubscribeAclResult(verdict)))
        } else {
            (true, acc)
        }
    }
}

impl Door {
    /// Login, client id and Will.
    async fn admit(&self, connect: &ConnectInfo) -> AuthResult {
        let user = connect.username().map(|name| &**name);
        if !self.access.admits(user, connect.password().map(|password| &**password)) {
            refused("login");
            return AuthResult::BadUsernameOrPassword;
        }
        if self.held_by_another(connect.id(), user).await {
            refused("client_id");
            return AuthResult::NotAuthorized;
        }
        if let Some(will) = connect.last_will() {
            let (topic, retain) = match &will {
                LastWill::V3(will) => (&*will.topic, will.retain),
                LastWill::V5(will) => (&*will.topic, will.retain),
            };
            if !self.access.may_publish(user, topic, retain) {
                refused("will");
                return AuthResult::NotAuthorized;
            }
        }
        // Never a superuser: the library asks no access rule for one, and the door stands in an access rule.
        AuthResult::Allow(false, None)
    }

    /// A client id belongs to the user who holds it: else one could end another's session by taking its id.
    async fn held_by_another(&self, id: &Id, user: Option<&str>) -> bool {
        let broker = self.broker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(broker) = broker else { return false };
        let held = broker.extends.shared().await.entry(id.clone()).session();
        held.is_some_and(|session| user_of(&session.id) != user)
    }

    async fn publish(&self, session: &Session, publish: &Publish) -> PublishAclResult {
        let user = user_of(&session.id);
        if !self.access.may_publish(user, &publish.topic, publish.retain) {
            refused("publish");
            if (self.is_emergency)(&publish.topic) {
                self.emergency.count_refused();
                tracing::debug!(user, topic = &*publish.topic, "an alarm or incident was refused by the users file");
            }
            return refusal(PublishAckReason::NotAuthorized, "this user may not publish there");
        }
        // What we publish ourselves is no input.
        if user == Some(SERVICE) {
            return PublishAclResult::allow();
        }
        // A broker library takes one message of a connection at a time, so a gateway whose first alarm waits for the
        // disk could not show us its second.
        let can_be_told = session.protocol().await.is_ok_and(|version| version >= MQTT_5);
        match self.pass(publish, can_be_told).await {
            Verdict::Recorded => PublishAclResult::allow(),
            Verdict::Withheld => {
                tokio::time::sleep(REFUSAL_PAUSE).await;
                refusal(PublishAckReason::ImplementationSpecificError, "could not be recorded; send it again")
            }
            Verdict::Held => PublishAclResult(PublishResult::reason_code(
                PublishAckReason::ImplementationSpecificError,
                Some("is shown but not on disk yet; send it again until its receipt says recorded".into()),
                false,
            )),
        }
    }

    async fn will(&self, from: &From, publish: &Publish) {
        if !self.stopping.load(Relaxed) && user_of(&from.id) != Some(SERVICE) {
            // There is nobody left to refuse to: an alarm that could not be recorded was shown and counted.
            self.pass(publish, false).await;
        }
    }

    /// Into the lane it belongs to; with `can_be_told` no longer than until it is held.
    async fn pass(&self, publish: &Publish, can_be_told: bool) -> Verdict {
        let emergency = (self.is_emergency)(&publish.topic);
        if !emergency && !self.telemetry.iter().any(|filter| filter.matches(&publish.topic)) {
            return Verdict::Recorded;
        }
        let frame = Frame {
            topic: Box::from(&*publish.topic),
            // Copied: the broker's payload is a slice of its connection's read buffer, and a queue full of messages
            // from thousands of vehicles would keep as many buffers, thirty times what it means to hold.
            payload: Bytes::copy_from_slice(&publish.payload),
            qos: publish.qos.value(),
            retained: false, // it is live; whoever subscribes later gets it as retained
            dup: publish.dup,
            received_at: (self.clock)().utc,
        };
        if emergency {
            let verdict = self.emergency.submit(frame, can_be_told).await;
            if verdict == Verdict::Recorded {
                self.emergency.count_acknowledged();
            }
            verdict
        } else {
            self.lanes.push(frame);
            Verdict::Recorded
        }
    }
}

fn user_of(id: &Id) -> Option<&str> {
    id.username.as_deref()
}

/// MQTT 3.1.1 knows no negative acknowledgement, and a positive one would say "recorded": so every refusal ends the
/// connection, with a reason where the protocol has one.
fn refusal(reason: PublishAckReason, text: &'static str) -> PublishAclResult {
    PublishAclResult(PublishResult::reason_code(reason, Some(text.into()), true))
}

fn refused(what: &'static str) {
    metrics::counter!("topis_broker_refused_total", "what" => what).increment(1);
}
